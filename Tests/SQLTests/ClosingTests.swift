import Foundation
import SQL
import TestSupport
import Testing

@Suite struct ClosingTests {
    @Test func aClosedDatabaseIsOneFileThatCanBeCopied() async throws {
        try await withTemporaryDirectory { path in
            for number in 1...20 {
                let file = path + "/\(number).db"
                let database = try Database.sqlite(path: file, readers: 2, durable: false)
                try await database.write { tx in try tx.script("CREATE TABLE item (id TEXT NOT NULL PRIMARY KEY)") }
                await database.close()
                #expect(!FileManager.default.fileExists(atPath: file + "-wal"))
            }
        }
    }
}
