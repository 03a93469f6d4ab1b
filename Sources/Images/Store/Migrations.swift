import SQL

extension Schema {
    /// Images' tables.
    static let images = Schema(service: "images", [.metadefs])
}
