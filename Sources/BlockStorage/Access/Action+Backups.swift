import Access

// The actions on backups, by the reference's names.

extension Action {
    static let listBackups: Action = "backup:get_all"
    static let getBackup: Action = "backup:get"
    static let createBackup: Action = "backup:create"
    static let updateBackup: Action = "backup:update"
    static let deleteBackup: Action = "backup:delete"
    static let restoreBackup: Action = "backup:restore"
    static let importBackup: Action = "backup:backup-import"
    static let exportBackup: Action = "backup:export-import"
    static let showBackupProject: Action = "backup:backup_project_attribute"
    static let resetBackup: Action = "volume_extension:backup_admin_actions:reset_status"
    static let forceDeleteBackup: Action = "volume_extension:backup_admin_actions:force_delete"
}
