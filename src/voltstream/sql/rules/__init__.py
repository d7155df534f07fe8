"""What the store makes of PostgreSQL's functions and operators.

Each module holds one topic and a table CALLS: the function's name and its rule. A function in no
table is the store's own and stays as it is.
"""
