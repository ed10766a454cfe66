package org.bergfried.router.api.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import org.bergfried.router.api.admin.AdminCalls;

/// Where a request goes.
sealed interface Route {
    /// What the paths of the admin API begin with.
    String ADMIN = "/admin/v1/";

    /// What the paths of the console begin with.
    String CONSOLE = "/console/";

    /// `GET /healthz`: the process turns.
    record Health() implements Route {}

    /// `GET /readyz`: a token can be produced.
    record Ready() implements Route {}

    /// `GET /metrics`.
    record Metrics() implements Route {}

    /// `POST /v1/chat/completions`.
    record Completions() implements Route {}

    /// `GET /v1/models`.
    record Models() implements Route {}

    /// `GET /v1/models/{id}`.
    record OneModel(String name) implements Route {}

    /// `GET /console/{file}`; `/` leads there.
    ///
    /// @param path below the console's.
    record Console(String path) implements Route {}

    /// `POST /admin/v1/{Service}/{Method}`.
    record Admin(String method, AdminCalls.Call target) implements Route {}

    /// A path or method that is not served.
    ///
    /// @param allowed the method that is; empty for an unknown path.
    record Unknown(HttpError error, String allowed) implements Route {}

    /// What meters call it.
    default String call() {
        return switch (this) {
            case Health() -> "healthz";
            case Ready() -> "readyz";
            case Metrics() -> "metrics";
            case Completions() -> "chat.completions";
            case Models() -> "models";
            case OneModel(String name) -> "model";
            case Console(String path) -> "console";
            case Admin(String method, AdminCalls.Call target) -> method;
            case Unknown(HttpError error, String allowed) -> "unknown";
        };
    }

    /// The route of a request.
    static Route of(String method, String path) {
        String modelPrefix = "/v1/models/";
        return switch (path) {
            case "/healthz" -> only("GET", method, path, new Health());
            case "/readyz" -> only("GET", method, path, new Ready());
            case "/metrics" -> only("GET", method, path, new Metrics());
            case "/v1/chat/completions" -> only("POST", method, path, new Completions());
            case "/v1/models" -> only("GET", method, path, new Models());
            case "/", "/console" -> only("GET", method, path, new Console("/"));
            default -> {
                if (path.startsWith(CONSOLE)) {
                    yield only("GET", method, path, new Console(path.substring(CONSOLE.length())));
                }
                if (path.startsWith(ADMIN)) {
                    yield admin(method, path);
                }
                yield path.startsWith(modelPrefix) && path.length() > modelPrefix.length()
                        ? only("GET", method, path, model(path.substring(modelPrefix.length())))
                        : unknown(path);
            }
        };
    }

    private static Route only(String allowed, String method, String path, Route route) {
        boolean isHead = method.equals("HEAD") && allowed.equals("GET");
        if (method.equals(allowed) || isHead) {
            return route;
        }
        var error = HttpError.of(
                405, "METHOD_NOT_ALLOWED", "the method " + method + " is not allowed for " + path + "; use " + allowed);
        return new Unknown(error, allowed);
    }

    private static Route admin(String method, String path) {
        String name = path.substring(ADMIN.length());
        AdminCalls.Call call = AdminCalls.all().get(name);
        if (call == null) {
            String shown = path.length() <= 80 ? path : path.substring(0, 80) + "...";
            return new Unknown(
                    HttpError.of(
                            404,
                            "NOT_FOUND",
                            "there is no call " + shown + "; known below " + ADMIN + " are "
                                    + AdminCalls.all().keySet()),
                    "");
        }
        return only("POST", method, path, new Admin(name, call));
    }

    private static Route model(String encoded) {
        try {
            return new OneModel(URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException malformed) {
            return unknown("/v1/models/" + encoded);
        }
    }

    private static Route unknown(String path) {
        String shown = path.length() <= 80 ? path : path.substring(0, 80) + "...";
        return new Unknown(
                HttpError.of(
                        404,
                        "NOT_FOUND",
                        "there is nothing at " + shown
                                + "; served: POST /v1/chat/completions, GET /v1/models, POST /admin/v1/..., /console/,"
                                + " /healthz, /readyz, /metrics"),
                "");
    }
}
