import Identity

extension IdentitySettings {
    init(_ configuration: Configuration) {
        self.init()
        tokenLifetime = configuration.token.expiration
        keyRotation = configuration.token.keyRotationInterval
        limitModel = LimitModel(rawValue: configuration.limits.enforcementModel) ?? .flat
        credentialsPerUser = configuration.credential.userLimit
        applicationCredentialsPerUser = configuration.applicationCredential.userLimit
        passcodeStandsAlone = configuration.totp.soleMethod
        logIns.accountFailures = configuration.logIn.accountFailures
        logIns.addressFailures = configuration.logIn.addressFailures
        logIns.window = configuration.logIn.window
        let asked = configuration.compliance
        compliance.lockoutFailureAttempts = asked.lockoutFailureAttempts
        compliance.lockoutDuration = asked.lockoutDuration
        compliance.passwordExpiresDays = asked.passwordExpiresDays
        compliance.uniqueLastPasswordCount = asked.uniqueLastPasswordCount
        compliance.minimumPasswordAgeDays = asked.minimumPasswordAge
        compliance.passwordRegex = asked.passwordRegex
        compliance.passwordRegexDescription = asked.passwordRegexDescription
        compliance.disableUserAccountDaysInactive = asked.disableUserAccountDaysInactive
        compliance.changePasswordUponFirstUse = asked.changePasswordUponFirstUse
    }
}
