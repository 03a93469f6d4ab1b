extension JSONObject {
    /// Whether the object has so many values inside that it is not checked on a connection's own thread.
    package var isHeavy: Bool {
        var left = Self.lightest
        return !JSON.object(self).fits(&left)
    }

    /// The most values of a light object.
    private static let lightest = 500
}

extension JSON {
    /// Takes the number of values inside from `left`. Returns false if there are more.
    fileprivate func fits(_ left: inout Int) -> Bool {
        switch self {
        case .array(let elements):
            left -= elements.count
            if left < 0 { return false }
            for element in elements where !element.fits(&left) { return false }
        case .object(let object):
            left -= object.count
            if left < 0 { return false }
            for member in object.members where !member.value.fits(&left) { return false }
        default: break
        }
        return true
    }
}
