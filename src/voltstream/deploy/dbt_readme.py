"""What a project's README says: how to run it, and what each adapter does with it."""

from __future__ import annotations

from collections.abc import Sequence

_TEXT = """# {name}

Sources, views and tests of a Voltstream catalog as a dbt project, written by `voltstream export
dbt`.

    cp profiles.example.yml profiles.yml
    export DBT_ENV_SECRET_VOLTSTREAM_PASSWORD='…'
    dbt build --profiles-dir .

The profile names the schema `dbt`: views are made there, beside those that they were read from,
and read the same sources. A view of another schema `s` is made in `dbt_s`. With the schema
`public` the project makes the catalog's views themselves, each in its own schema; read the two
sections below first.

## dbt-postgres

- `materialized_view` is `CREATE MATERIALIZED VIEW IF NOT EXISTS`: Voltstream fills the view and
  maintains it from then on. Later runs say `REFRESH MATERIALIZED VIEW`, which rebuilds a
  suspended view and finds others up to date; where `indexes=[…]` has changed they make and drop
  indexes instead. They do not notice another query: `dbt run --full-refresh --select MODEL`
  replaces the view.
- `view` is replaced by every run: made under another name, renamed, and the old one dropped with
  `CASCADE`. What reads it goes too. Models are made again by the same run, if it selects them;
  **sinks, subscriptions and views outside of this project are not**. Keep those on views of a
  schema that dbt does not write to.

## dbt-risingwave

Use `type: risingwave` in the profile, and leave the rest. `view` and `materialized_view` mean the
same statements. Without `--full-refresh` what exists stays as it is, so nothing that reads it is
dropped.

## Tests

Primary keys and UNIQUE columns are tested for `unique`, primary keys and NOT NULL columns for
`not_null`; keys of several columns have a file each in `tests/`. The engine keeps these
constraints itself: the tests tell when a project is pointed at a copy that does not.

## Written again

The same catalog gives the same files. `voltstream export dbt` replaces files that are as it wrote
them (`voltstream-export.json` knows), takes away those whose view is gone, and changes nothing
when the folder has a file that it did not write, or one that was edited. With `--schema` views
that dbt itself has made in other schemas are left out.

## Left out

{left_out}
"""
_NOTHING = "Nothing: every object of the catalog is here."
_MISSING = "dbt has no place for these; they stay where they are:"


def readme(name: str, left_out: Sequence[str]) -> str:
    """Return the text; ``left_out`` are objects that are not in the project."""
    listed = "\n".join(f"- {one}" for one in left_out)
    return _TEXT.format(name=name, left_out=f"{_MISSING}\n\n{listed}" if listed else _NOTHING)
