import CArgon2
import CloudCore
import Foundation
import Synchronization

/// An Argon2id hash (RFC 9106) with all the parameters needed to compute it again. Its text is a PHC string:
/// `$argon2id$v=19$m=7168,t=5,p=1$salt$hash`.
struct PasswordHash: Sendable {
    /// The cost of one hash.
    struct Cost: Sendable, Equatable {
        var kibibytes: UInt32
        var passes: UInt32
        var lanes: UInt32

        /// One of the equivalent settings of OWASP's password storage cheat sheet. It is the one that fits best into a
        /// processor's caches, so two hashes at the same time do not wait for memory.
        static let standard = Cost(kibibytes: 7168, passes: 5, lanes: 1)
        /// A cost for tests: passwords are really hashed, but almost for free.
        static let negligible = Cost(kibibytes: 8, passes: 1, lanes: 1)
        /// The highest cost that is accepted in a stored hash, so that a wrong one cannot occupy the machine.
        fileprivate static let highest = Cost(kibibytes: 1 << 20, passes: 64, lanes: 16)
    }

    let cost: Cost
    let salt: [UInt8]
    let hash: [UInt8]

    private static let length = 32

    /// Computes the hash of a password, which takes about 13 ms of one core.
    init(of password: [UInt8], salt: [UInt8], _ cost: Cost) throws {
        self.cost = cost
        self.salt = salt
        hash = try Self.compute(password, salt, cost, length: Self.length)
    }

    func matches(_ password: [UInt8]) throws -> Bool {
        constantTimeEquals(try Self.compute(password, salt, cost, length: hash.count), hash)
    }

    private static func compute(_ password: [UInt8], _ salt: [UInt8], _ cost: Cost, length: Int) throws -> [UInt8] {
        var (password, salt) = (password, salt)
        var out = [UInt8](repeating: 0, count: length)
        let code = out.withUnsafeMutableBufferPointer { out in
            password.withUnsafeMutableBufferPointer { password in
                salt.withUnsafeMutableBufferPointer { salt in
                    var context = Argon2_Context()
                    context.out = out.baseAddress
                    context.outlen = UInt32(out.count)
                    context.pwd = password.baseAddress
                    context.pwdlen = UInt32(password.count)
                    context.salt = salt.baseAddress
                    context.saltlen = UInt32(salt.count)
                    context.t_cost = cost.passes
                    context.m_cost = cost.kibibytes
                    context.lanes = cost.lanes
                    context.threads = 1
                    context.version = ARGON2_VERSION_13.rawValue
                    context.allocate_cbk = { memory, size in
                        memory?.pointee = HashMemory.take(size)
                        return 0
                    }
                    context.free_cbk = { memory, size in HashMemory.give(memory, size) }
                    return argon2_ctx(&context, Argon2_id)
                }
            }
        }
        guard code == ARGON2_OK.rawValue else { throw CloudError.internalError("argon2 failed with code \(code)") }
        return out
    }

    // MARK: Text

    var text: String {
        "$argon2id$v=19$m=\(cost.kibibytes),t=\(cost.passes),p=\(cost.lanes)$\(Self.base64(salt))$\(Self.base64(hash))"
    }

    /// Reads a PHC string; nil for a text that is no Argon2id hash, or whose cost is above `Cost.highest`.
    init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: true)
        guard parts.count == 5, parts[0] == "argon2id", parts[1] == "v=19" else { return nil }
        let numbers = parts[2].split(separator: ",").compactMap { $0.split(separator: "=").last.flatMap { UInt32($0) } }
        guard numbers.count == 3, let salt = Self.bytes(parts[3]), let hash = Self.bytes(parts[4]), salt.count >= 8, hash.count >= 16 else {
            return nil
        }
        let cost = Cost(kibibytes: numbers[0], passes: numbers[1], lanes: numbers[2])
        guard cost.kibibytes <= Cost.highest.kibibytes, cost.passes <= Cost.highest.passes, cost.lanes <= Cost.highest.lanes else { return nil }
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// Returns base64 without padding, as PHC strings have it.
    private static func base64(_ bytes: [UInt8]) -> String { String(Base64.encode(bytes).prefix { $0 != "=" }) }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)).map { Array($0) }
    }
}

/// The memory in which hashes are computed. It is kept for the next hash.
///
/// Allocating and freeing it for each hash causes more page faults than the hash has steps, and doubles the time of two
/// hashes at once. Argon2 wipes the memory before it frees it.
private enum HashMemory {
    private struct Block: @unchecked Sendable {  // Only ever in one list or in one computation.
        let start: UnsafeMutablePointer<UInt8>
        let size: Int
    }

    private static let free = Mutex<[Block]>([])
    private static let mostKept = ProcessInfo.processInfo.activeProcessorCount

    static func take(_ size: Int) -> UnsafeMutablePointer<UInt8> {
        let kept = free.withLock { blocks in blocks.firstIndex { $0.size == size }.map { blocks.remove(at: $0) } }
        return kept?.start ?? UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    }

    static func give(_ start: UnsafeMutablePointer<UInt8>?, _ size: Int) {
        guard let start else { return }
        let block = Block(start: start, size: size)
        let isKept = free.withLock { blocks in
            guard blocks.count < mostKept else { return false }
            blocks.append(block)
            return true
        }
        if !isKept { start.deallocate() }
    }
}
