import Yams

/// A cloud as its `clouds.yaml` describes it: its URLs, and the passwords of its first two accounts.
package struct KnownCloud: Sendable {
    package let authURL: String
    package let region: String
    /// The base URL of the operator's API.
    package let operatorURL: String
    package let adminPassword: String
    package let demoPassword: String

    private static let identityPath = "/identity/v3"

    /// Reads the client files of a state directory.
    ///
    /// - Throws: `StartError` if the directory has no cloud, or its files do not contain the passwords.
    package init(in directory: StateDirectory) throws {
        guard let text = try Files.text(directory.clouds) else {
            throw StartError("There is no \(directory.clouds): start the cloud first, or name its directory with --state.")
        }
        let passwords = try ClientFiles.passwords(in: text, directory.clouds)
        let cloud = (try? compose(yaml: text))?["clouds"]?["novella-admin"]
        guard let url = cloud?["auth"]?["auth_url"]?.string, let region = cloud?["region_name"]?.string, let admin = passwords.admin,
            let demo = passwords.demo
        else { throw StartError("\(directory.clouds) does not say how to get into the cloud: its passwords were set elsewhere.") }
        (authURL, self.region, adminPassword, demoPassword) = (url, region, admin, demo)
        operatorURL = (url.hasSuffix(Self.identityPath) ? String(url.dropLast(Self.identityPath.count)) : url) + "/novella/v1"
    }
}
