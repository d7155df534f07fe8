"""Values as PostgreSQL writes them, in the styles that a session asks for."""
