// What readers may copy out of the repository's pages: fenced blocks, commands in running text, and links. A block says in
// the comment before it how it is tested: `<!-- tested: WAY -->`. What the ways are is the suite's part.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const FENCED = /^(?:<!-- tested: (?<way>.*) -->\n)?```(?<language>\S*)\n(?<text>[\s\S]*?)^```$/gm;

/** The README, how to contribute, and every guide; decisions are of their time. */
export function pages() {
  const guides = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...guides.sort().map((name) => join('docs', name))].map((name) => new Page(name));
}

export const source = (name) => readFileSync(join(ROOT, name), 'utf8');

export class Page {
  constructor(name) {
    this.name = name;
    this.text = source(name);
  }

  /** Its fenced blocks: how each is tested (undefined if it does not say), its language, its text, and where it is. */
  get blocks() {
    return [...this.text.matchAll(FENCED)].map(({ index, groups }) => ({
      ...groups,
      place: `${this.name}:${this.text.slice(0, index).split('\n').length + (groups.way ? 1 : 0)}`,
    }));
  }

  /** What is set in code in running text. */
  get spans() {
    return [...this.prose.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  }

  /** Links to other places of the repository, as files and the names of headings in them. */
  get links() {
    const targets = [...this.prose.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(([, link, attribute]) => link ?? attribute);
    return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => {
      const [path, heading] = target.split('#');
      return { target, file: path ? relative(ROOT, join(ROOT, dirname(this.name), path)) : this.name, heading };
    });
  }

  get prose() {
    return this.text.replace(FENCED, '');
  }

  /** The names by which links reach its headings. */
  get headings() {
    return [...this.prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(/\s/g, '-'));
  }
}

/** Whether a file has these lines one after the other, whatever their indentation; a line `// …` leaves some out. */
export function isTextOf(file, text) {
  const bare = (lines) => lines.split('\n').map((line) => line.trim()).filter(Boolean).join('\n');
  const whole = bare(source(file));
  let from = 0;
  return text.split(/^\s*\/\/ …$/m).every((part) => {
    const at = whole.indexOf(bare(part), from);
    from = at + bare(part).length;
    return at >= 0;
  });
}
