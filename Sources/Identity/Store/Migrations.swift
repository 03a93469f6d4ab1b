import SQL

extension Schema {
    /// The tables of Identity. A domain is a project that acts as one, as in the reference, so both are in one tree and
    /// in one table.
    static let identity = Schema(
        service: "identity",
        [
            Migration(
                1, "everything of v3.14",
                """
                CREATE TABLE identity_key (
                  id TEXT PRIMARY KEY, purpose TEXT NOT NULL, sealed BLOB NOT NULL,
                  created_at INTEGER NOT NULL, used_from INTEGER NOT NULL, used_until INTEGER);

                CREATE TABLE identity_project (
                  id TEXT PRIMARY KEY, name TEXT NOT NULL, domain_id TEXT REFERENCES identity_project(id),
                  parent_id TEXT REFERENCES identity_project(id), is_domain INTEGER NOT NULL, enabled INTEGER NOT NULL,
                  description TEXT NOT NULL, tags TEXT NOT NULL, options TEXT NOT NULL, extra TEXT NOT NULL);
                CREATE UNIQUE INDEX identity_project_name ON identity_project (coalesce(domain_id, ''), name);
                CREATE INDEX identity_project_parent ON identity_project (parent_id);

                CREATE TABLE identity_user (
                  id TEXT PRIMARY KEY, name TEXT NOT NULL, domain_id TEXT NOT NULL REFERENCES identity_project(id),
                  enabled INTEGER NOT NULL, default_project_id TEXT, options TEXT NOT NULL, created_at INTEGER NOT NULL,
                  last_active_day INTEGER, failed_attempts INTEGER NOT NULL, failed_at INTEGER,
                  password_expires_at INTEGER, extra TEXT NOT NULL);
                CREATE UNIQUE INDEX identity_user_name ON identity_user (domain_id, name);
                CREATE TABLE identity_password (
                  user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE, number INTEGER NOT NULL,
                  hash TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER, by_owner INTEGER NOT NULL,
                  PRIMARY KEY (user_id, number));

                CREATE TABLE identity_group (
                  id TEXT PRIMARY KEY, name TEXT NOT NULL, domain_id TEXT NOT NULL REFERENCES identity_project(id),
                  description TEXT NOT NULL, extra TEXT NOT NULL);
                CREATE UNIQUE INDEX identity_group_name ON identity_group (domain_id, name);
                CREATE TABLE identity_membership (
                  group_id TEXT NOT NULL REFERENCES identity_group(id) ON DELETE CASCADE,
                  user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE, PRIMARY KEY (group_id, user_id));
                CREATE INDEX identity_membership_user ON identity_membership (user_id);

                CREATE TABLE identity_role (
                  id TEXT PRIMARY KEY, name TEXT NOT NULL, domain_id TEXT REFERENCES identity_project(id),
                  description TEXT, options TEXT NOT NULL, extra TEXT NOT NULL);
                CREATE UNIQUE INDEX identity_role_name ON identity_role (coalesce(domain_id, ''), name);
                CREATE TABLE identity_implied_role (
                  prior_role_id TEXT NOT NULL REFERENCES identity_role(id) ON DELETE CASCADE,
                  implied_role_id TEXT NOT NULL REFERENCES identity_role(id) ON DELETE CASCADE,
                  PRIMARY KEY (prior_role_id, implied_role_id));
                CREATE TABLE identity_assignment (
                  actor_id TEXT NOT NULL, target_id TEXT NOT NULL, role_id TEXT NOT NULL REFERENCES identity_role(id) ON DELETE CASCADE,
                  inherited INTEGER NOT NULL, actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'group')),
                  target_kind TEXT NOT NULL CHECK (target_kind IN ('project', 'domain', 'system')),
                  PRIMARY KEY (actor_id, target_id, role_id, inherited, target_kind));
                CREATE INDEX identity_assignment_target ON identity_assignment (target_id);

                CREATE TABLE identity_revocation (
                  id TEXT PRIMARY KEY, user_id TEXT, project_id TEXT, domain_id TEXT, role_id TEXT, trust_id TEXT,
                  consumer_id TEXT, access_token_id TEXT, audit_id TEXT, audit_chain_id TEXT,
                  issued_before INTEGER NOT NULL, revoked_at INTEGER NOT NULL);
                CREATE INDEX identity_revocation_at ON identity_revocation (revoked_at);

                CREATE TABLE identity_region (
                  id TEXT PRIMARY KEY, description TEXT NOT NULL, parent_region_id TEXT REFERENCES identity_region(id), extra TEXT NOT NULL);
                CREATE TABLE identity_service (
                  id TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT, enabled INTEGER NOT NULL, extra TEXT NOT NULL);
                CREATE TABLE identity_endpoint (
                  id TEXT PRIMARY KEY, interface TEXT NOT NULL, region_id TEXT REFERENCES identity_region(id),
                  service_id TEXT NOT NULL REFERENCES identity_service(id) ON DELETE CASCADE, url TEXT NOT NULL,
                  enabled INTEGER NOT NULL, extra TEXT NOT NULL);
                CREATE TABLE identity_endpoint_group (
                  id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT, filters TEXT NOT NULL);
                CREATE TABLE identity_project_endpoint (
                  project_id TEXT NOT NULL REFERENCES identity_project(id) ON DELETE CASCADE,
                  endpoint_id TEXT NOT NULL REFERENCES identity_endpoint(id) ON DELETE CASCADE, PRIMARY KEY (project_id, endpoint_id));
                CREATE TABLE identity_project_endpoint_group (
                  project_id TEXT NOT NULL REFERENCES identity_project(id) ON DELETE CASCADE,
                  endpoint_group_id TEXT NOT NULL REFERENCES identity_endpoint_group(id) ON DELETE CASCADE,
                  PRIMARY KEY (project_id, endpoint_group_id));

                CREATE TABLE identity_policy (id TEXT PRIMARY KEY, type TEXT NOT NULL, blob TEXT NOT NULL, extra TEXT NOT NULL);
                CREATE TABLE identity_policy_association (
                  id TEXT PRIMARY KEY, policy_id TEXT NOT NULL REFERENCES identity_policy(id) ON DELETE CASCADE,
                  endpoint_id TEXT REFERENCES identity_endpoint(id) ON DELETE CASCADE,
                  service_id TEXT REFERENCES identity_service(id) ON DELETE CASCADE,
                  region_id TEXT REFERENCES identity_region(id) ON DELETE CASCADE);
                CREATE UNIQUE INDEX identity_policy_association_place ON identity_policy_association
                  (coalesce(endpoint_id, ''), coalesce(service_id, ''), coalesce(region_id, ''));

                CREATE TABLE identity_credential (
                  id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE, project_id TEXT,
                  type TEXT NOT NULL, sealed_blob BLOB NOT NULL, key_id TEXT NOT NULL REFERENCES identity_key(id), extra TEXT NOT NULL);
                CREATE INDEX identity_credential_user ON identity_credential (user_id, type);

                CREATE TABLE identity_trust (
                  id TEXT PRIMARY KEY, trustor_user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE,
                  trustee_user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE,
                  project_id TEXT REFERENCES identity_project(id) ON DELETE CASCADE, impersonation INTEGER NOT NULL,
                  expires_at INTEGER, remaining_uses INTEGER,
                  redelegated_trust_id TEXT REFERENCES identity_trust(id) ON DELETE CASCADE,
                  redelegation_count INTEGER NOT NULL, extra TEXT NOT NULL);
                CREATE UNIQUE INDEX identity_trust_content ON identity_trust
                  (trustor_user_id, trustee_user_id, project_id, impersonation, expires_at);
                CREATE INDEX identity_trust_trustee ON identity_trust (trustee_user_id);
                CREATE INDEX identity_trust_redelegated ON identity_trust (redelegated_trust_id);
                -- A role that is gone stays named here: a trust gives all that it promised, or nothing.
                CREATE TABLE identity_trust_role (
                  trust_id TEXT NOT NULL REFERENCES identity_trust(id) ON DELETE CASCADE, role_id TEXT NOT NULL,
                  PRIMARY KEY (trust_id, role_id));

                CREATE TABLE identity_application_credential (
                  id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE,
                  project_id TEXT NOT NULL REFERENCES identity_project(id) ON DELETE CASCADE, name TEXT NOT NULL, secret_hash TEXT NOT NULL,
                  description TEXT, expires_at INTEGER, unrestricted INTEGER NOT NULL);
                CREATE UNIQUE INDEX identity_application_credential_name ON identity_application_credential (user_id, name);
                CREATE TABLE identity_application_credential_role (
                  application_credential_id TEXT NOT NULL REFERENCES identity_application_credential(id) ON DELETE CASCADE,
                  role_id TEXT NOT NULL REFERENCES identity_role(id) ON DELETE CASCADE, PRIMARY KEY (application_credential_id, role_id));
                CREATE TABLE identity_access_rule (
                  id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE,
                  service TEXT NOT NULL, path TEXT NOT NULL, method TEXT NOT NULL);
                CREATE UNIQUE INDEX identity_access_rule_content ON identity_access_rule (user_id, service, path, method);
                CREATE TABLE identity_application_credential_access_rule (
                  application_credential_id TEXT NOT NULL REFERENCES identity_application_credential(id) ON DELETE CASCADE,
                  access_rule_id TEXT NOT NULL REFERENCES identity_access_rule(id), PRIMARY KEY (application_credential_id, access_rule_id));

                CREATE TABLE identity_consumer (
                  id TEXT PRIMARY KEY, description TEXT, sealed_secret BLOB NOT NULL, key_id TEXT NOT NULL REFERENCES identity_key(id),
                  extra TEXT NOT NULL);
                CREATE TABLE identity_request_token (
                  id TEXT PRIMARY KEY, sealed_secret BLOB NOT NULL, key_id TEXT NOT NULL REFERENCES identity_key(id),
                  consumer_id TEXT NOT NULL REFERENCES identity_consumer(id) ON DELETE CASCADE, project_id TEXT NOT NULL,
                  verifier TEXT, user_id TEXT REFERENCES identity_user(id) ON DELETE CASCADE, role_ids TEXT, expires_at INTEGER);
                CREATE TABLE identity_access_token (
                  id TEXT PRIMARY KEY, sealed_secret BLOB NOT NULL, key_id TEXT NOT NULL REFERENCES identity_key(id),
                  consumer_id TEXT NOT NULL REFERENCES identity_consumer(id) ON DELETE CASCADE,
                  user_id TEXT NOT NULL REFERENCES identity_user(id) ON DELETE CASCADE,
                  project_id TEXT NOT NULL REFERENCES identity_project(id) ON DELETE CASCADE, role_ids TEXT NOT NULL, expires_at INTEGER);
                CREATE INDEX identity_access_token_user ON identity_access_token (user_id);
                CREATE TABLE identity_oauth_nonce (
                  consumer_id TEXT NOT NULL, nonce TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (consumer_id, nonce, at));

                CREATE TABLE identity_registered_limit (
                  id TEXT PRIMARY KEY, service_id TEXT NOT NULL REFERENCES identity_service(id), region_id TEXT REFERENCES identity_region(id),
                  resource_name TEXT NOT NULL, default_limit INTEGER NOT NULL, description TEXT);
                CREATE UNIQUE INDEX identity_registered_limit_resource ON identity_registered_limit
                  (service_id, coalesce(region_id, ''), resource_name);
                CREATE TABLE identity_limit (
                  id TEXT PRIMARY KEY, registered_limit_id TEXT NOT NULL REFERENCES identity_registered_limit(id),
                  project_id TEXT REFERENCES identity_project(id) ON DELETE CASCADE,
                  domain_id TEXT REFERENCES identity_project(id) ON DELETE CASCADE,
                  service_id TEXT NOT NULL, region_id TEXT, resource_name TEXT NOT NULL, resource_limit INTEGER NOT NULL, description TEXT);
                CREATE UNIQUE INDEX identity_limit_place ON identity_limit
                  (registered_limit_id, coalesce(project_id, ''), coalesce(domain_id, ''));

                CREATE TABLE identity_domain_option (
                  domain_id TEXT NOT NULL REFERENCES identity_project(id) ON DELETE CASCADE, group_name TEXT NOT NULL,
                  name TEXT NOT NULL, value TEXT, sealed_value BLOB, key_id TEXT REFERENCES identity_key(id),
                  PRIMARY KEY (domain_id, group_name, name), CHECK ((value IS NULL) <> (sealed_value IS NULL)));
                """),
            Migration(
                2, "services' usual names, revocations by what they name, used passcodes, the order of access rules",
                """
                UPDATE identity_service SET name = 'keystone' WHERE type = 'identity' AND name = 'novella-identity';
                UPDATE identity_service SET name = 'placement' WHERE type = 'placement' AND name = 'novella-placement';
                UPDATE identity_service SET name = 'glance' WHERE type = 'image' AND name = 'novella-images';
                UPDATE identity_service SET name = 'neutron' WHERE type = 'network' AND name = 'novella-networking';
                UPDATE identity_service SET name = 'nova' WHERE type = 'compute' AND name = 'novella-compute';

                CREATE INDEX identity_revocation_audit ON identity_revocation (audit_id) WHERE audit_id IS NOT NULL;
                CREATE INDEX identity_revocation_chain ON identity_revocation (audit_chain_id) WHERE audit_chain_id IS NOT NULL;
                CREATE INDEX identity_revocation_user ON identity_revocation (user_id) WHERE user_id IS NOT NULL;
                CREATE INDEX identity_revocation_project ON identity_revocation (project_id) WHERE project_id IS NOT NULL;
                CREATE INDEX identity_revocation_domain ON identity_revocation (domain_id) WHERE domain_id IS NOT NULL;
                CREATE INDEX identity_revocation_trust ON identity_revocation (trust_id) WHERE trust_id IS NOT NULL;
                CREATE INDEX identity_revocation_access_token ON identity_revocation (access_token_id) WHERE access_token_id IS NOT NULL;

                CREATE TABLE identity_passcode (
                  user_id TEXT PRIMARY KEY REFERENCES identity_user(id) ON DELETE CASCADE, last_window INTEGER NOT NULL,
                  failed_attempts INTEGER NOT NULL, failed_at INTEGER);

                ALTER TABLE identity_application_credential_access_rule ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
                """),
        ])
}
