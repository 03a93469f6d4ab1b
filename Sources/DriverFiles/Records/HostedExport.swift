import HostModel

/// A copy for others that is being made. It is not recorded: who wanted it asks again.
struct HostedExport: Sendable {
    var source: VolumeSource
    var pool: String
    var form: TargetFile.Form
    var ticket: String
    var failure: AgentProblem?
}
