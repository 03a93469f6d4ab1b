import Resources

/// The service of one of Identity's uniform nouns.
protocol IdentityService<R>: ResourceService {
    var identity: IdentityContext { get }
}

extension IdentityService {
    var context: ServiceContext { identity.base }
}
