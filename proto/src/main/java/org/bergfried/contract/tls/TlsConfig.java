package org.bergfried.contract.tls;

import java.nio.file.Path;
import org.bergfried.contract.Require;

/// The identity of a process: PEM files, read again when they change.
///
/// @param certificate its certificate chain, leaf first; its names say who it is.
/// @param privateKey the key of the leaf, PKCS#8.
/// @param trust the authorities that peers' certificates must come from.
public record TlsConfig(Path certificate, Path privateKey, Path trust) {
    /// Checks that all three are given.
    public TlsConfig {
        Require.present("certificate", certificate);
        Require.present("privateKey", privateKey);
        Require.present("trust", trust);
    }
}
