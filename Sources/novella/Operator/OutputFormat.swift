import ArgumentParser
import CloudCore
import ControlPlane

/// The format in which a command prints its result.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// A table for people.
    case table
    /// The JSON of the API, for programs.
    case json
}

struct FormatOption: ParsableArguments {
    @ArgumentParser.Option(help: ArgumentHelp("How to write the answer: table, or json for programs.", valueName: "format"))
    var format: OutputFormat = .table
}

/// A table of text: a line of headings and rows. Each column is as wide as its widest cell.
struct TextTable {
    let header: [String]
    var rows: [[String]] = []

    var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.enumerated().map { column, cell in
                // The last column needs no trailing spaces.
                column == header.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// The time since a moment, in the units that people use.
enum Age {
    static func text(_ moment: String?) -> String {
        guard let moment, let then = Timestamp(iso8601: moment) else { return "-" }
        let seconds = max(Int((World.real.now - then).inSeconds), 0)
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) d"
        }
    }
}
