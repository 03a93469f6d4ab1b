import CloudCore

/// The number of workflows that a runner carries out, by kind and by project.
package struct RunnerLoad: Sendable {
    package private(set) var total = 0
    private(set) var kinds: [WorkflowKind: Int] = [:]
    private(set) var projects: [ID<Kind.Project>: Int] = [:]

    package init() {}

    mutating func add(_ count: Int, _ kind: WorkflowKind, _ project: ID<Kind.Project>?) {
        total += count
        kinds[kind, default: 0] += count
        guard let project else { return }
        projects[project, default: 0] += count
        // A project without workflows leaves no entry behind.
        if projects[project] == 0 { projects[project] = nil }
    }

    /// Returns the kinds and projects that have no free place, which the next look for work leaves out.
    func exclusions(_ catalog: WorkflowCatalog, projectShare: Int) -> LeaseStore.Exclusions {
        LeaseStore.Exclusions(
            kinds: kinds.filter { kind, count in catalog.mostAtOnce(kind).map { count >= $0 } ?? false }.keys.sorted { $0.name < $1.name },
            projects: projects.filter { $0.value >= projectShare }.keys.sorted { $0.text < $1.text })
    }

    /// Chooses among the due workflows. Each place goes to the project with the fewest places, and there to the
    /// workflow that has been due longest.
    ///
    /// - Parameter candidates: in the order in which they became due.
    func choice(
        of most: Int, among candidates: [LeaseStore.Candidate], _ catalog: WorkflowCatalog, projectShare: Int
    ) -> [LeaseStore.Candidate] {
        var load = self
        var queues: [ID<Kind.Project>?: ArraySlice<LeaseStore.Candidate>] = [:]
        var order: [ID<Kind.Project>?] = []
        for (project, list) in Dictionary(grouping: candidates, by: \.projectID) { queues[project] = list[...] }
        for candidate in candidates where !order.contains(candidate.projectID) { order.append(candidate.projectID) }
        var chosen: [LeaseStore.Candidate] = []
        while chosen.count < most {
            let open = order.filter { queues[$0]?.isEmpty == false }
            guard let project = open.min(by: { load.places(of: $0) < load.places(of: $1) }),
                let next = queues[project]?.popFirst()
            else { break }
            let kind = next.key.kind
            if let most = catalog.mostAtOnce(kind), load.kinds[kind, default: 0] >= most { continue }
            if project != nil, load.places(of: project) >= projectShare {
                queues[project] = []
                continue
            }
            load.add(1, kind, project)
            chosen.append(next)
        }
        return chosen
    }

    private func places(of project: ID<Kind.Project>?) -> Int { project.map { projects[$0, default: 0] } ?? 0 }
}
