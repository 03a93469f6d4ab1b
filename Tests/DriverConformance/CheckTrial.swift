import CloudCore

/// The things of one check.
protocol CheckTrial: Sendable {
    associatedtype Driver
    /// The name of the checks in messages.
    static var checks: String { get }
    var driver: Driver { get }
    /// Removes everything that the check has made.
    func clean() async
}

struct NoSuchAbility: Error {}

extension CheckTrial {
    /// Runs the body of the check, and leaves nothing behind.
    ///
    /// - Returns: false if the driver lacks the ability.
    func run(_ body: () async throws -> Void) async throws -> Bool {
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await clean()
        if case .failure(is NoSuchAbility) = result { return false }
        try result.get()
        return true
    }

    func expect(_ isSo: Bool, _ what: String, line: Int = #line) throws {
        guard isSo else { throw NotConforming(description: "\(what) (\(Self.checks), line \(line))") }
    }

    func expectRefusal(
        _ kind: CloudError.Kind, code: String? = nil, _ what: String, line: Int = #line, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as CloudError {
            try expect(error.kind == kind && (code == nil || error.code == code), "\(what): \(error)", line: line)
            return
        }
        try expect(false, "\(what) was not refused", line: line)
    }

    func ability<Ability>(_ type: Ability.Type) throws -> Ability {
        guard let able = driver as? Ability else { throw NoSuchAbility() }
        return able
    }
}
