// The "postgres" library of node: pipelined queries, types, transactions, cursors, errors.
const assert = require("node:assert");
const postgres = require("postgres");

async function main() {
  const sql = postgres(process.argv[2], { max: 4, onnotice: () => {} });
  await sql`CREATE TABLE js_points (id int PRIMARY KEY, name text, tags int[], at timestamptz, doc jsonb)`;
  const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
  const rows = [1, 2, 3].map((id) => ({ id, name: `n${id}`, at }));
  await sql`INSERT INTO js_points ${sql(rows, "id", "name", "at")}`;
  await sql`UPDATE js_points SET tags = ${[4, 5]}, doc = ${sql.json({ a: [1] })} WHERE id = ${1}`;
  const [one] = await sql`SELECT * FROM js_points WHERE id = ${1}`;
  assert.deepStrictEqual({ ...one }, { id: 1, name: "n1", tags: [4, 5], at, doc: { a: [1] } });
  const many = await Promise.all([1, 2, 3].map((id) => sql`SELECT name FROM js_points WHERE id = ${id}`));
  assert.deepStrictEqual(many.map((found) => found[0].name), ["n1", "n2", "n3"]);
  await sql.begin(async (held) => {
    await held`DELETE FROM js_points WHERE id = 3`;
    throw new Error("back");
  }).catch((error) => assert.strictEqual(error.message, "back"));
  let seen = 0;
  await sql`SELECT i FROM generate_series(1, 25) AS g(i)`.cursor(10, (part) => { seen += part.length; });
  assert.strictEqual(seen, 25);
  const [count] = await sql`SELECT count(*) AS n FROM js_points`;
  assert.strictEqual(count.n, "3");
  await assert.rejects(sql`SELECT nothing FROM js_points`, (error) => error.code === "42703");
  await sql.end();
}

main().then(() => console.log("done"), (error) => { console.error(error); process.exit(1); });
