package org.bergfried.contract.tls;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.bergfried.contract.Require;

/// The identity of a process: PEM files, read again when they change.
///
/// A peer has a role if one of the DNS names in its certificate matches one of the role's patterns. In a pattern,
/// `*` stands for any characters but a dot; case does not matter. If routers or workers are named otherwise than by
/// default, or a worker's name has the word router in it, give both lists in full, on every process.
///
/// @param certificate its certificate chain, leaf first; its names say who it is.
/// @param privateKey the key of the leaf, PKCS#8.
/// @param trust the authorities that peers' certificates must come from.
/// @param routerNames patterns of routers' names; default `router`, `router-*`, `*-router`, `*-router-*`. Only
/// routers may call EngineService.
/// @param workerNames patterns of workers' names; default `worker`, `worker-*`, `*-worker`, `*-worker-*`. Only
/// workers may call ExpertService.
public record TlsConfig(
        Path certificate, Path privateKey, Path trust, List<String> routerNames, List<String> workerNames) {
    /// Checks that all three files are given.
    public TlsConfig {
        Require.present("certificate", certificate);
        Require.present("privateKey", privateKey);
        Require.present("trust", trust);
        routerNames = routerNames.isEmpty() ? namesWith("router") : List.copyOf(routerNames);
        workerNames = workerNames.isEmpty() ? namesWith("worker") : List.copyOf(workerNames);
    }

    /// An identity among peers with the default names.
    public TlsConfig(Path certificate, Path privateKey, Path trust) {
        this(certificate, privateKey, trust, List.of(), List.of());
    }

    /// Whether one of a peer's names is of a role.
    boolean isNamed(PeerRole role, Collection<String> names) {
        return names.stream().anyMatch(name -> patterns(role).stream().anyMatch(pattern -> matches(pattern, name)));
    }

    List<String> patterns(PeerRole role) {
        return switch (role) {
            case ROUTER -> routerNames;
            case WORKER -> workerNames;
        };
    }

    private static boolean matches(String pattern, String name) {
        String quoted = Pattern.quote(pattern.toLowerCase(Locale.ROOT)).replace("*", "\\E[^.]*\\Q");
        return Pattern.matches(quoted, name.toLowerCase(Locale.ROOT));
    }

    private static List<String> namesWith(String word) {
        return List.of(word, word + "-*", "*-" + word, "*-" + word + "-*");
    }
}
