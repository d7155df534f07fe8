"""Access lists in text, "reader=r/owner": taken apart, and what they are where none was made.

Source: PostgreSQL 15, src/backend/utils/adt/acl.c.
"""

from __future__ import annotations

_WORDS = {
    "a": "INSERT", "r": "SELECT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE",
    "x": "REFERENCES", "t": "TRIGGER", "X": "EXECUTE", "U": "USAGE", "C": "CREATE",
    "T": "TEMPORARY", "c": "CONNECT", "s": "SET", "A": "ALTER SYSTEM",
}  # fmt: skip
# By kind of object: what everybody may, and what its owner may.
_STANDARD = {
    "r": ("", "arwdDxt"), "c": ("", ""), "s": ("", "rwU"), "d": ("Tc", "CTc"), "f": ("X", "X"),
    "l": ("U", "U"), "L": ("", "rw"), "n": ("", "UC"), "p": ("", "sA"), "t": ("", "C"),
    "F": ("", "U"), "S": ("", "U"), "T": ("U", "U"),
}  # fmt: skip


def _quoted(pairs: dict[str, str]) -> str:
    keys = ", ".join(f"'{key}'" for key in pairs)
    values = ", ".join(f"'{value}'" for value in pairs.values())
    return f"MAP([{keys}], [{values}])"


def _standards() -> str:
    def items(everyone: str, owner: str) -> str:
        parts = [f"'={everyone}/' || n"] if everyone else []
        parts += [f"n || '={owner}/' || n"] if owner else []
        return f"[{', '.join(parts)}]" if parts else "CAST([] AS VARCHAR[])"

    cases = " ".join(f"WHEN '{kind}' THEN {items(*both)}" for kind, both in _STANDARD.items())
    return f"CASE k {cases} END"


MACROS = (
    f"MACRO standard_acl(k, n) AS {_standards()}",
    "MACRO acldefault(k, o) AS _pg.standard_acl(k, _pg.pg_get_userbyid(o))",
    # One row a right: who gave it, to whom (0 is everybody), and whether it may be passed on.
    "MACRO aclexplode(acl) AS (SELECT list({'grantor': coalesce(g._oid, 0::UINTEGER), 'grantee': "
    "coalesce(r._oid, 0::UINTEGER), 'privilege_type': "
    f"map_extract_value({_quoted(_WORDS)}, p.mark[1]), 'is_grantable': ends_with(p.mark, '*')}} "
    "ORDER BY p.item, p.place) FROM (SELECT i.item, i.text, unnest(i.marks) AS mark, "
    "generate_subscripts(i.marks, 1) AS place FROM (SELECT a.item, a.text, regexp_extract_all("
    "regexp_extract(a.text, '=([^/]*)/', 1), '[a-zA-Z]\\*?') AS marks FROM (SELECT unnest(acl) AS "
    "text, generate_subscripts(acl, 1) AS item) a) i) p "
    'LEFT JOIN _pg.k_roles r ON r._name = regexp_extract(p.text, \'^"?([^"=]*)"?=\', 1) '
    'LEFT JOIN _pg.k_roles g ON g._name = regexp_extract(p.text, \'/"?([^"]*)"?$\', 1))',
)
