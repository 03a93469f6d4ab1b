import CloudCore

/// The sizes that volumes of a type may have, as its extra specs say.
enum TypeSizes {
    static func check(_ size: Int, of type: VolumeType) throws {
        func bound(_ key: String) -> Int? { type.extraSpecs[key]?.string.flatMap { Int($0) } }
        if let least = bound("provisioning:min_vol_size"), size < least {
            throw VolumeRefusal.input(
                "Specified volume size of '\(size)' is less than the minimum required size of '\(least)' for volume "
                    + "type '\(type.name)'.")
        }
        if let most = bound("provisioning:max_vol_size"), size > most {
            throw VolumeRefusal.input(
                "Specified volume size of '\(size)' is greater than the maximum allowable size of '\(most)' for volume "
                    + "type '\(type.name)'.")
        }
    }
}
