const { Client } = require('pg');
const check = (ok, what) => { if (!ok) throw new Error(what); console.log('ok ' + what); };
(async () => {
  const c = new Client({ connectionString: process.argv[2] });
  await c.connect();
  let r = await c.query("SELECT 1 AS one, 'x' AS word, true AS ok, null AS nothing, ARRAY[1,2] AS list, timestamptz '2026-01-01 00:00:00+00' AS at");
  check(r.rows[0].one === 1 && r.rows[0].word === 'x' && r.rows[0].ok === true && r.rows[0].nothing === null, 'row');
  check(r.rows[0].list.length === 2 && r.rows[0].at.toISOString() === '2026-01-01T00:00:00.000Z', 'array and instant');
  await c.query('DROP TABLE IF EXISTS node_t');
  await c.query('CREATE TABLE node_t (id int PRIMARY KEY, name text, doc jsonb)');
  await c.query('INSERT INTO node_t VALUES ($1, $2, $3), ($4, $5, NULL)', [1, "it's", { a: [1] }, 2, null]);
  r = await c.query({ name: 'one', text: 'SELECT * FROM node_t WHERE id = $1', values: [1] });
  check(r.rows[0].name === "it's" && r.rows[0].doc.a[0] === 1, 'prepared');
  r = await c.query({ name: 'one', text: 'SELECT * FROM node_t WHERE id = $1', values: [2] });
  check(r.rows[0].name === null, 'again');
  r = await c.query('SELECT id FROM node_t WHERE id = ANY($1)', [[1, 2]]);
  check(r.rowCount === 2, 'any');
  try { await c.query('SELECT * FROM nope'); check(false, 'error'); } catch (e) { check(e.code === '42P01', 'error'); }
  await c.query('BEGIN'); await c.query('DELETE FROM node_t'); await c.query('ROLLBACK');
  r = await c.query('SELECT count(*) FROM node_t'); check(r.rows[0].count === '2', 'rollback');
  await c.end(); console.log('done');
})().catch(e => { console.error(e); process.exit(1); });
