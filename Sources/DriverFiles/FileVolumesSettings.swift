package import Drivers
package import HostModel

/// The settings of a host's volumes in files.
package struct FileVolumesSettings: Sendable {
    /// A folder with volumes.
    package struct Pool: Sendable {
        package var name: String
        package var folder: String
        package var bounds: VolumePool.Bounds

        package init(name: String, folder: String, bounds: VolumePool.Bounds = .init()) {
            self.name = name
            self.folder = folder
            self.bounds = bounds
        }
    }

    /// The folder for the driver's records.
    package var folder: String
    package var pools: [Pool]
    /// The most copies that run at the same time.
    package var copies = 2
    /// The source of the contents of backups.
    package var backups = BackupSource.none
    /// The seconds after which a copy is given up.
    package var copySeconds = 6 * 3600
    /// Is called before each step of a change, with its name. A test throws there, as if the process had ended.
    package var step: @Sendable (String) throws -> Void = { _ in }

    package init(folder: String, pools: [Pool]) {
        self.folder = folder
        self.pools = pools
    }
}
