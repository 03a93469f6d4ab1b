import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The configurations of single domains.
struct DomainConfigurationService: Sendable {
    let identity: IdentityContext
    private let options = DomainOptionStore()

    typealias Part = DomainOptionStore.Part

    // MARK: Read

    func get(_ domain: ID<Kind.Domain>, _ part: Part, by caller: Principal) async throws -> JSONObject {
        if part.group == DomainOption.compliance { return try await compliance(domain, part.name, by: caller) }
        try identity.policy.require(.getDomainConfig, caller)
        return try await identity.base.read { tx in
            try tx.requireDomain(domain)
            if let group = part.group { try DomainOption.check(group, part.name) }
            let found = try options.shown(domain, part, in: tx)
            guard !found.isEmpty else { throw Self.missing(domain, part) }
            return Self.view(found, part)
        }
    }

    /// Returns the rules for passwords. They hold in every domain, and are shown only with the default domain's
    /// configuration.
    private func compliance(_ domain: ID<Kind.Domain>, _ name: String?, by caller: Principal) async throws -> JSONObject {
        try identity.policy.require(.getSecurityComplianceDomainConfig, caller)
        guard domain == .standard else {
            throw DomainOption.invalid("Security compliance information can be read for the default domain only")
        }
        let rules = identity.settings.compliance
        let shown: [(String, JSON)] = [
            ("password_regex", rules.passwordRegex.json), ("password_regex_description", rules.passwordRegexDescription.json),
        ]
        guard let name else { return [DomainOption.compliance: .object(JSONObject(shown))] }
        guard let one = shown.first(where: { $0.0 == name }) else {
            throw DomainOption.invalid("Only password_regex and password_regex_description can be read of security compliance")
        }
        return JSONObject([one])
    }

    /// Returns the default values of the options.
    func standard(_ part: Part, by caller: Principal) throws -> JSONObject {
        try identity.policy.require(.getDomainConfigDefault, caller)
        if let group = part.group { try DomainOption.check(group, part.name) }
        if let group = part.group, let name = part.name {
            guard let value = DomainOption.standard(group, name) else {
                throw DomainOption.invalid("Reading the default for option \(name) in group \(group) is not supported")
            }
            return [name: value]
        }
        let groups = DomainOption.standards.filter { part.group == nil || $0.group == part.group }
        return JSONObject(groups.map { group in (group.group, .object(JSONObject(group.options.map { ($0.name, $0.value) }))) })
    }

    // MARK: Change

    /// Replaces the whole configuration.
    ///
    /// - Returns: the options that may be shown, and whether the domain had no configuration before.
    func replace(
        _ domain: ID<Kind.Domain>, _ body: JSONObject, by caller: Principal
    ) async throws -> (config: JSONObject, isNew: Bool) {
        let config = try Self.config(body)
        return try await identity.base.write { tx in
            try identity.policy.require(.createDomainConfig, caller)
            try tx.requireDomain(domain)
            let wanted = try stored(try DomainOption.settings(config), domain)
            let isNew = try !options.exists(domain, in: tx)
            try options.delete(domain, in: tx)
            try options.set(wanted, domain, in: tx)
            return (DomainOption.config(try options.shown(domain, in: tx)), isNew)
        }
    }

    /// Sets some options and leaves the others unchanged. If the path names a group or an option, the body may set
    /// nothing else, and it must already be set.
    func merge(_ domain: ID<Kind.Domain>, _ part: Part, _ body: JSONObject, by caller: Principal) async throws -> JSONObject {
        let given = try Self.config(body)
        return try await identity.base.write { tx in
            try identity.policy.require(.updateDomainConfig, caller)
            try tx.requireDomain(domain)
            // If the path names an option, the body has the option without its group.
            let config: JSONObject = if let group = part.group, part.name != nil { [group: .object(given)] } else { given }
            let settings = try DomainOption.settings(config)
            if let group = part.group {
                try DomainOption.check(group, part.name)
                let isOnlyThat = settings.allSatisfy { $0.group == group && (part.name == nil || $0.name == part.name) }
                guard isOnlyThat else {
                    throw DomainOption.invalid("Trying to update \(Self.words(part)), so that, and only that, must be specified in the config")
                }
                guard try options.exists(domain, part, in: tx) else { throw Self.missing(domain, part) }
            }
            try options.set(try stored(settings, domain), domain, in: tx)
            return DomainOption.config(try options.shown(domain, in: tx))
        }
    }

    func delete(_ domain: ID<Kind.Domain>, _ part: Part, by caller: Principal) async throws {
        try await identity.base.write { tx in
            try identity.policy.require(.deleteDomainConfig, caller)
            try tx.requireDomain(domain)
            if let group = part.group {
                try DomainOption.check(group, part.name)
                guard try options.exists(domain, part, in: tx) else { throw Self.missing(domain, part) }
            }
            try options.delete(domain, part, in: tx)
        }
    }

    // MARK: Parts

    /// Returns the `config` of a body. A body without it has no options.
    private static func config(_ body: JSONObject) throws -> JSONObject {
        guard let config = body["config"] else { return [:] }
        guard let object = config.object else { throw Shape.wrong("config", "it must be an object") }
        return object
    }

    private func stored(_ settings: [DomainOption.Setting], _ domain: ID<Kind.Domain>) throws -> [DomainOptionStore.Stored] {
        try settings.map { setting in
            var stored = DomainOptionStore.Stored(group: setting.group, name: setting.name)
            if DomainOption.isSecret(setting.group, setting.name) {
                let label = "domain_option/\(domain)/\(setting.group)/\(setting.name)"
                let (keyID, box) = try identity.keyring.seal(Array(setting.value.text.utf8), .secret, context: label)
                stored.sealed = box
                stored.keyID = keyID
            } else {
                stored.value = setting.value
            }
            return stored
        }
    }

    private static func view(_ settings: [DomainOption.Setting], _ part: Part) -> JSONObject {
        part.name == nil ? DomainOption.config(settings) : JSONObject(settings.map { ($0.name, $0.value) })
    }

    private static func words(_ part: Part) -> String {
        switch (part.group, part.name) {
        case (let group?, let name?): "option \(name) in group \(group)"
        case (let group?, nil): "group \(group)"
        case (nil, _): "any options"
        }
    }

    private static func missing(_ domain: ID<Kind.Domain>, _ part: Part) -> CloudError {
        CloudError(.notFound, "Could not find \(words(part)) in domain configuration for domain \(domain).")
    }
}
