import java.sql.*;
import java.util.*;
public class Client {
  static void check(boolean ok, String what) { if (!ok) throw new RuntimeException(what); System.out.println("ok " + what); }
  public static void main(String[] a) throws Exception {
    try (Connection c = DriverManager.getConnection(a[0], "al", "")) {
      DatabaseMetaData m = c.getMetaData();
      check(m.getDatabaseProductVersion().startsWith("15"), "version");
      try (Statement s = c.createStatement()) {
        s.execute("DROP TABLE IF EXISTS jdbc_meters");
        s.execute("CREATE TABLE jdbc_meters (id int PRIMARY KEY, name varchar, kw double precision, price numeric(10,2), at timestamptz, ok boolean, raw bytea)");
      }
      try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_meters VALUES (?, ?, ?, ?, ?, ?, ?)")) {
        for (int i = 0; i < 10; i++) {
          p.setInt(1, i); p.setString(2, "m" + i); p.setDouble(3, i * 0.5); p.setBigDecimal(4, new java.math.BigDecimal("1.25"));
          p.setObject(5, java.time.OffsetDateTime.parse("2026-01-01T00:00:00Z")); p.setBoolean(6, i % 2 == 0); p.setBytes(7, new byte[]{0, (byte) 255});
          p.addBatch();
        }
        check(Arrays.stream(p.executeBatch()).allMatch(n -> n == 1), "batch");
      }
      try (PreparedStatement p = c.prepareStatement("SELECT * FROM jdbc_meters WHERE id = ?")) {
        for (int i = 0; i < 8; i++) {
          p.setInt(1, i);
          try (ResultSet r = p.executeQuery()) {
            check(r.next() && r.getString("name").equals("m" + i) && r.getDouble("kw") == i * 0.5
              && r.getBigDecimal("price").toString().equals("1.25") && r.getTimestamp("at").getTime() == 1767225600000L
              && r.getBoolean("ok") == (i % 2 == 0) && r.getBytes("raw")[1] == (byte) 255, "row " + i);
          }
        }
      }
      c.setAutoCommit(false);
      try (Statement s = c.createStatement()) {
        s.setFetchSize(3);
        int n = 0;
        try (ResultSet r = s.executeQuery("SELECT id FROM jdbc_meters ORDER BY id")) { while (r.next()) check(r.getInt(1) == n++, "portion"); }
        check(n == 10, "all");
        s.executeUpdate("DELETE FROM jdbc_meters WHERE id > 4");
        c.rollback();
        try (ResultSet r = s.executeQuery("SELECT count(*) FROM jdbc_meters")) { r.next(); check(r.getLong(1) == 10, "rollback"); }
        c.commit();
      }
      c.setAutoCommit(true);
      try (ResultSet r = m.getTables(null, "public", "jdbc_%", new String[]{"TABLE"})) { check(r.next() && r.getString("TABLE_NAME").equals("jdbc_meters"), "tables"); }
      List<String> names = new ArrayList<>();
      try (ResultSet r = m.getColumns(null, "public", "jdbc_meters", null)) { while (r.next()) names.add(r.getString("COLUMN_NAME") + ":" + r.getString("TYPE_NAME")); }
      System.out.println(names);
      check(names.size() == 7, "columns");
      try (ResultSet r = m.getPrimaryKeys(null, "public", "jdbc_meters")) { check(r.next() && r.getString("COLUMN_NAME").equals("id"), "key"); }
      try (ResultSet r = m.getSchemas()) { check(r.next(), "schemas"); }
      try (ResultSet r = m.getTypeInfo()) { check(r.next(), "types"); }
      try (ResultSet r = m.getIndexInfo(null, "public", "jdbc_meters", false, false)) { check(r.next(), "indexes"); }
      try (Statement s = c.createStatement()) { s.executeQuery("SELECT * FROM nope"); check(false, "error"); } catch (SQLException e) { check(e.getSQLState().equals("42P01"), "error"); }
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT ARRAY[1,2,3], ARRAY['a','b']")) { r.next(); check(((Object[]) r.getArray(1).getArray()).length == 3, "array"); check(((String[]) r.getArray(2).getArray())[1].equals("b"), "strings"); }
      org.postgresql.copy.CopyManager copy = new org.postgresql.copy.CopyManager((org.postgresql.core.BaseConnection) c);
      check(copy.copyIn("COPY jdbc_meters (id, name) FROM STDIN", new java.io.StringReader("100\tx\n")) == 1, "copy in");
      java.io.StringWriter w = new java.io.StringWriter();
      check(copy.copyOut("COPY (SELECT id, name FROM jdbc_meters WHERE id = 100) TO STDOUT", w) == 1 && w.toString().equals("100\tx\n"), "copy out");
      System.out.println("done");
    }
  }
}
