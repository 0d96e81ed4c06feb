//! The corpora that are kept, through the functions that fuzzers feed.

use std::fs;
use std::path::Path;

use parlance_fuzz_targets::ALL;

#[test]
fn what_fuzzers_found_is_taken_without_harm() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in ALL {
        let corpus = fs::read_dir(corpora.join(name)).unwrap_or_else(|error| panic!("the corpus of {name}: {error}"));
        let inputs: Vec<_> = corpus.map(|entry| fs::read(entry.expect("an entry").path()).expect("an input")).collect();
        assert!(inputs.len() >= 3, "{name} has a corpus");
        for input in &inputs {
            target(input);
        }
        // And what is near them: cut anywhere.
        for input in inputs.iter().filter(|input| input.len() < 64 && name != "packets") {
            (0..input.len()).for_each(|end| target(&input[..end]));
        }
    }
}
