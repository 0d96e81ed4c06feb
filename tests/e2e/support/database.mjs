// A database of its own for each server under test. E2E_STORAGE says where: a SQLite file in the server's folder, or a
// fresh database on the PostgreSQL or MongoDB that the run was given (`tests/services/run`).
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import pg from 'pg';

export const STORAGE = process.env.E2E_STORAGE || 'sqlite';

const STORAGES = {
  sqlite: {
    create: (dir) => ({ url: `sqlite://${join(dir, 'chat.db')}`, drop: async () => {} }),
  },
  postgres: {
    async create() {
      const base = given('TEST_POSTGRES_URL');
      const name = freshName();
      await onPostgres(base, `CREATE DATABASE ${name}`);
      return { url: named(base, name), drop: () => onPostgres(base, `DROP DATABASE ${name} WITH (FORCE)`) };
    },
  },
  mongodb: {
    create() {
      const base = given('TEST_MONGODB_URL');
      const name = freshName();
      // Dropping takes the server that stands in for MongoDB longer than anything else, and all others wait for it.
      const drop = async () => thrownAway('TEST_MONGODB_URL') || onMongo(base, (client) => client.db(name).dropDatabase());
      return { url: named(base, name), drop };
    },
  },
};

/** A fresh, empty database: its `url`, and how to `drop()` it. `dir` is a folder that the caller removes. */
export async function createDatabase(dir) {
  const storage = STORAGES[STORAGE];
  if (!storage) throw new Error(`E2E_STORAGE=${STORAGE} is not one of ${Object.keys(STORAGES).join(', ')}`);
  return storage.create(dir);
}

function given(variable) {
  const url = process.env[variable];
  if (!url) throw new Error(`run make test, or set ${variable}`);
  return url;
}

/** Whether a server ends with this run, and takes with it what is left there. */
const thrownAway = (variable) => (process.env.TEST_THROWN_AWAY ?? '').split(' ').includes(variable);

const freshName = () => `e2e_${randomBytes(6).toString('hex')}`;

function named(base, name) {
  const url = new URL(base);
  url.pathname = name;
  return url.href;
}

async function onPostgres(url, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function onMongo(url, work) {
  const client = new MongoClient(url);
  try {
    await work(client);
  } finally {
    await client.close();
  }
}
