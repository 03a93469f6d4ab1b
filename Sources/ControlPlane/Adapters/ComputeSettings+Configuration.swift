import Compute

extension ComputeSettings {
    init(_ configuration: Configuration) {
        self.init()
        offloadsShelved = configuration.compute.shelvedOffloadTime == 0
    }
}
