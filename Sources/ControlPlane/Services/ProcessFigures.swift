import Foundation

/// Figures of the operating system about this process.
enum ProcessFigures {
    /// The resident memory in bytes; 0 if the system does not tell.
    static var residentBytes: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static var openDescriptors: Double {
        // One of them is the descriptor that reads the list.
        Double(max(0, ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 1) - 1))
    }

    /// The size of a file in bytes; 0 if there is none.
    static func size(of path: String) -> Double {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? Int).map(Double.init) ?? 0
    }
}
