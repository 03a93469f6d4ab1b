/// The cases of an enum without payloads. They are found even if the enum is not `CaseIterable`, such as the
/// `CodingKeys` that the compiler makes: the description of the type has the number of cases, and each case is its
/// number in memory.
enum EnumCases {
    /// Returns all cases; nil for a type that is no enum or has payloads.
    static func all<Value>(of type: Value.Type) -> [Value]? {
        guard let counts = counts(type), counts.payloads == 0, counts.empty <= 256, MemoryLayout<Value>.size <= 1 else { return nil }
        return (0..<counts.empty).map { number in withUnsafeBytes(of: UInt8(number)) { $0.load(as: Value.self) } }
    }

    static func isEnum<Value>(_ type: Value.Type) -> Bool { counts(type) != nil }

    /// Returns the numbers of cases of an enum, read from the metadata of the type. The first word is the kind, the
    /// second the address of the description (`TargetEnumDescriptor` of the Swift ABI): five words of 32 bits, then the
    /// number of cases with payloads and the number without.
    private static func counts<Value>(_ type: Value.Type) -> (payloads: Int, empty: Int)? {
        let enumKind: UInt = 0x201
        let metadata = unsafeBitCast(type as any Any.Type, to: UnsafeRawPointer.self)
        guard metadata.load(as: UInt.self) == enumKind else { return nil }
        let description = metadata.load(fromByteOffset: MemoryLayout<UInt>.size, as: UnsafeRawPointer.self)
        let payloads = description.load(fromByteOffset: 20, as: UInt32.self) & 0xff_ffff
        return (Int(payloads), Int(description.load(fromByteOffset: 24, as: UInt32.self)))
    }
}
