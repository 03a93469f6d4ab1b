import CloudCore

/// The id of the service of a host with pools: a UUID that follows from the host's name.
enum ServiceID {
    private static let namespace = "6b1a4e0c-7b9e-4f0d-9d0f-5c2f8f3b7a11"

    static func of(_ host: String) -> String { UUIDText.derived(from: host, in: namespace) }
}
