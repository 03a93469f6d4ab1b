import SQL

extension NumberStore {
    static let compute = NumberStore(table: "compute_number")
}
