#include <sqlite3.h>

/// Whoever quotes a name that is not there is told so, and is not given the name as a text. (sqlite3_db_config is variadic: Swift cannot call it.)
static inline int csqlite_refuse_quoted_texts(sqlite3 *db) {
    int ddl = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (void *)0);
    int dml = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (void *)0);
    return ddl == SQLITE_OK ? dml : ddl;
}
