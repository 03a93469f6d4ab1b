import CloudCore
import Yams

/// The files `clouds.yaml` and `openrc`, with which clients find the cloud and log in.
///
/// The first start generates the passwords. They are stored in clear text only in these files. They must be on the disk
/// before the accounts exist; otherwise a crash in between would leave a cloud that nobody can log in to:
///
///     no files --draw--> clouds.yaml.first --accounts made--> clouds.yaml, openrc
///
/// A start that finds `clouds.yaml.first` continues with the passwords in it.
struct ClientFiles {
    /// The passwords of the two accounts. They are nil if the accounts are older than the files, because nobody knows
    /// the passwords then.
    struct Passwords: Equatable {
        var admin: String?
        var demo: String?
    }

    let directory: StateDirectory
    let url: String
    let region: String

    private var first: String { directory.clouds + ".first" }

    /// Runs `bootstrap` with the passwords of the accounts, and writes the files if they are missing or name another
    /// URL.
    ///
    /// - Parameter bootstrap: creates the accounts if they do not exist. Returns whether it did.
    ///
    /// - Returns: whether the files contain the passwords.
    func publish(random: any Randomness, _ bootstrap: (_ admin: String, _ demo: String) async throws -> Bool) async throws -> Bool {
        if let text = try Files.text(directory.clouds), case let known = try Self.passwords(in: text, directory.clouds),
            let admin = known.admin
        {
            _ = try await bootstrap(admin, known.demo ?? random.urlSafe(18))
            if !isAbout(text) { try Files.write(clouds(known), to: directory.clouds) }
            if !isAbout(text) || !Files.exists(directory.openrc) { try Files.write(openrc(known), to: directory.openrc) }
            return true
        }
        let isRepeated = Files.exists(first)
        var drawn = Passwords(admin: random.urlSafe(18), demo: random.urlSafe(18))
        if isRepeated, let text = try Files.text(first) { drawn = try Self.passwords(in: text, first) }
        try Files.write(clouds(drawn), to: first)
        let isFirst = try await bootstrap(drawn.admin ?? "", drawn.demo ?? "")
        // If the accounts are older than the files, their passwords are not the generated ones.
        let known = isFirst || isRepeated ? drawn : Passwords()
        try Files.write(openrc(known), to: directory.openrc)
        try Files.write(clouds(known), to: first)
        try Files.move(first, to: directory.clouds)
        return known.admin != nil
    }

    /// Returns whether the text already names this cloud. The file then stays unchanged, with everything that its owner
    /// has added.
    private func isAbout(_ text: String) -> Bool {
        let cloud = (try? compose(yaml: text))?["clouds"]?["novella-admin"]
        return cloud?["auth"]?["auth_url"]?.string == authURL && cloud?["region_name"]?.string == region
    }

    static func passwords(in text: String, _ path: String) throws -> Passwords {
        guard let root = try? compose(yaml: text), let clouds = root["clouds"] else {
            throw StartError("\(path) cannot be read; it should have been written by novella. Move it away, or repair it.")
        }
        func password(_ cloud: String) -> String? { clouds[cloud]?["auth"]?["password"]?.string }
        return Passwords(admin: password("novella-admin"), demo: password("novella-demo"))
    }

    // MARK: What is in them

    func clouds(_ passwords: Passwords) -> String {
        """
        # Written by novella, and written anew when the cloud's URL or region changes; passwords are kept.
        # Clients find it by OS_CLIENT_CONFIG_FILE=\(directory.clouds)
        clouds:
        \(cloud("admin", passwords.admin))
        \(cloud("demo", passwords.demo))

        """
    }

    private func cloud(_ name: String, _ password: String?) -> String {
        """
          novella-\(name):
            auth:
              auth_url: \(YAMLText.quoted(authURL))
              username: \(name)
        \(password.map { "      password: \(JSON.string($0).text)" } ?? "      # The password is not known: it was set elsewhere.")
              user_domain_id: default
              project_name: \(name)
              project_domain_id: default
            region_name: \(YAMLText.quoted(region))
            identity_api_version: 3
            interface: public
        """
    }

    func openrc(_ passwords: Passwords) -> String {
        var lines = [
            ("OS_AUTH_URL", authURL), ("OS_IDENTITY_API_VERSION", "3"), ("OS_AUTH_TYPE", "password"),
            ("OS_USERNAME", "admin"), ("OS_USER_DOMAIN_ID", "default"), ("OS_PROJECT_NAME", "admin"),
            ("OS_PROJECT_DOMAIN_ID", "default"), ("OS_REGION_NAME", region), ("OS_INTERFACE", "public"),
        ].map { "export \($0)=\(Self.shellQuoted($1))" }
        lines.append(
            passwords.admin.map { "export OS_PASSWORD=\(Self.shellQuoted($0))" } ?? "# OS_PASSWORD is not known: it was set elsewhere.")
        // `OS_CLOUD` from an earlier choice would override the variables.
        lines.append("unset OS_CLOUD")
        return "# Written by novella: source it to be the cloud's administrator.\n" + lines.joined(separator: "\n") + "\n"
    }

    private var authURL: String { url + "/identity/v3" }

    private static func shellQuoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
