import Compute
import Durable
import Placement

/// The reconciler that keeps the indexes in memory close to the rows. Whoever asks an index brings it up to date first;
/// but an index that nobody asked for hundreds of commits would be read from nothing.
struct IndexFollower: Reconciler {
    let name = "indexes"
    let interval: Duration = .seconds(1)
    let placement: PlacementAssembly
    let compute: ComputeAssembly

    func reconcile() async throws -> ReconcilerReport {
        try await placement.prepare()
        try await compute.prepare()
        return ReconcilerReport()
    }
}
