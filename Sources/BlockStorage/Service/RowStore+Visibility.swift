import CloudCore
import SQL

/// A noun that belongs to a project.
protocol OwnedNoun: RowNoun { var projectID: String { get } }

extension Volume: OwnedNoun {}
extension VolumeSnapshot: OwnedNoun {}
extension VolumeAttachment: OwnedNoun {}
extension VolumeTransfer: OwnedNoun {}
extension VolumeGroup: OwnedNoun {}
extension GroupSnapshot: OwnedNoun {}

extension RowStore where Noun: OwnedNoun {
    /// Returns the row of something that the caller sees.
    ///
    /// - Throws: `notFound` if there is none, or if it is not of the caller's project.
    func require(_ id: Noun.Key, by caller: Caller, in tx: Transaction) throws -> Noun {
        guard let noun = try find(id, in: tx), caller.sees(noun.projectID) else { throw Noun.missing(id) }
        return noun
    }
}
