package org.bergfried.router.auth;

import java.util.EnumSet;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// Who calls.
///
/// @param name the key's name.
/// @param tenant whose data it sees.
/// @param roles what it may do.
public record Caller(String name, String tenant, Set<Role> roles) {
    /// Whoever calls over loopback while no keys are configured.
    public static final Caller LOCAL = new Caller("local", "local", EnumSet.allOf(Role.class));

    /// Copies.
    public Caller {
        roles = Set.copyOf(roles);
    }

    /// Insists on a role.
    ///
    /// @throws ClusterException with FORBIDDEN if the caller does not have it.
    public void require(Role role) {
        if (!roles.contains(role)) {
            throw new ClusterException(
                    ErrorReason.FORBIDDEN,
                    "the key \"" + name + "\" has the roles " + roles + " and this call needs " + role
                            + "; ask an operator for a key with that role");
        }
    }
}
