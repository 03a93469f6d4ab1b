import CloudCore

extension ShippedMetadef {
    /// The namespaces about software in an image or on a server.
    static let software: [ShippedMetadef] = [databases, runtimes, webServers]

    private static let carriers: [Association] = [.image(), .volume(), .server]

    private static func port(_ name: String, _ title: String, _ standard: Int64) -> Property {
        .count(name, title, "The port that it listens on.", ["minimum": 1, "maximum": 65_535, "default": .integer(standard)])
    }

    private static func version(_ name: String) -> Property { .text(name, "Version", "The version that is installed.") }

    // MARK: Databases

    private static let databases = ShippedMetadef(
        "OS::Software::DBMS", "Database Software", "Database servers that are installed.", for: carriers,
        objects: [
            database("MySQL", "mysql", port: 3606, admin: "root"), database("PostgreSQL", "postgresql", port: 5432, admin: "postgres"),
            sqlServer, oracle, database("DB2", "db2", port: 5432, portName: "port"), database("MongoDB", "mongodb", port: 27_017),
            database("Couchbase Server", "couchbaseserver", port: 11_211, admin: "admin"), database("Redis", "redis", port: 6379, admin: "admin"),
            database("CouchDB", "couchdb", port: 5984), database("Apache Cassandra", "cassandra", port: 9160, admin: "cassandra"),
            Object("HBase", "A server of the database HBase.", [version("sw_database_hbase_version")]),
            Object(
                "Hazlecast", "A server of the data grid Hazelcast.",
                [version("sw_database_hazlecast_version"), port("sw_database_hazlecast_port", "Port", 5701)]),
        ])

    /// Returns the definitions of a database server.
    ///
    /// - Parameters:
    ///   - word: the word for the database in the names of the properties.
    ///   - admin: the usual name of the administrator.
    private static func database(
        _ name: String, _ word: String, port standard: Int64, portName: String = "listen_port", admin: String? = nil
    ) -> Object {
        Object(
            name, "A server of the database \(name).",
            [
                version("sw_database_\(word)_version"), port("sw_database_\(word)_\(portName)", "Port", standard),
                .text(
                    "sw_database_\(word)_admin", "Administrator", "The name of the database's administrator.",
                    admin.map { ["default": .string($0)] } ?? [:]),
            ])
    }

    private static let sqlServer = Object(
        "SQL Server", "A server of the database SQL Server.",
        [
            version("sw_database_sqlserver_version"),
            .word(
                "sw_database_sqlserver_edition", "Edition", "The edition that is installed.",
                [
                    "Datacenter", "Enterprise", "Standard", "Web", "Business Intelligence", "Workgroup", "Express", "Compact (SQL CE)", "Developer",
                    "Embedded (SSEE)", "Fast Track", "LocalDB", "Parallel Data Warehouse (PDW)", "Datawarehouse Appliance Edition",
                ], ["default": "Express"]),
            port("sw_database_sqlserver_listen_port", "Port", 1433),
            .text("sw_database_postsqlserver_admin", "Administrator", "The name of the database's administrator.", ["default": "sa"]),
        ])

    private static let oracle = Object(
        "Oracle", "A server of the database Oracle.",
        [
            version("sw_database_oracle_version"),
            .word(
                "sw_database_oracle_edition", "Edition", "The edition that is installed.",
                ["Enterprise", "Standard", "Standard Edition One", "Express (XE)", "Workgroup", "Lite"], ["default": "Express"]),
            port("sw_database_oracle_listen_port", "Port", 1521),
        ])

    // MARK: Others

    private static let runtimes = ShippedMetadef(
        "OS::Software::Runtimes", "Runtime Environment", "Languages whose programs can be run.", for: carriers,
        objects: ["PHP", "Python", "Java", "Ruby", "Perl"].map { name in
            Object(name, "The runtime of \(name).", [version("sw_runtime_\(name.lowercased())_version")])
        })

    private static let webServers = ShippedMetadef(
        "OS::Software::WebServers", "Web Servers", "Web servers that are installed.", for: carriers,
        objects: [("Apache HTTP Server", "apache"), ("Nginx", "nginx"), ("IIS", "iis")].map { name, word in
            Object(
                name, "The web server \(name).",
                [
                    version("sw_webserver_\(word)_version"), port("sw_webserver_\(word)_http_port", "HTTP port", 80),
                    port("sw_webserver_\(word)_https_port", "HTTPS port", 443),
                ])
        })
}
