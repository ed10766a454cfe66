package org.bergfried.router.chat.template;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// A model's chat template, read once and rendered for each request.
///
/// It renders what Transformers renders with the same template, with the functions `raise_exception`, `strftime_now`,
/// `namespace`, `range` and `dict`. It is immutable and may be used by several threads at once.
public final class ChatTemplate {
    private final List<Stmt> body;

    private ChatTemplate(List<Stmt> body) {
        this.body = body;
    }

    /// Reads a template.
    ///
    /// @throws ClusterException MODEL_UNSUPPORTED, naming the line and what is not understood
    public static ChatTemplate parse(String source) {
        try {
            return new ChatTemplate(TemplateParser.parse(source));
        } catch (TemplateException error) {
            throw clusterException(error);
        }
    }

    /// Renders a prompt.
    ///
    /// @param variables what a client sent, as trees of maps, lists, strings, numbers, booleans and nulls: all data
    /// @param tokenVariables strings such as `bos_token` that belong to the model: literals, as if the template had
    ///     written them
    /// @param limits what the rendering may use
    /// @param clock the time that `strftime_now` shows and that the rendering is measured with
    /// @throws ClusterException INVALID_REQUEST if the template rejects the conversation or a limit is reached
    public RenderedPrompt render(
            Map<String, ? extends @Nullable Object> variables,
            Map<String, String> tokenVariables,
            RenderLimits limits,
            Clock clock) {
        Budget budget = new Budget(limits, clock);
        try {
            Scope builtIn = new Scope(null);
            Functions.define(builtIn, budget, now(clock));
            tokenVariables.forEach((name, text) -> builtIn.set(name, Text.literal(text)));
            Values values = new Values(budget);
            Scope scope = new Scope(builtIn);
            variables.forEach((name, tree) -> scope.set(name, values.of(tree)));
            return RenderedPrompt.of(new Statements(budget).render(body, scope));
        } catch (TemplateException error) {
            throw clusterException(error);
        }
    }

    /// The time in UTC, so that all routers show the same day.
    private static LocalDateTime now(Clock clock) {
        return LocalDateTime.ofEpochSecond(Math.floorDiv(clock.wallMillis(), 1000L), 0, ZoneOffset.UTC);
    }

    private static ClusterException clusterException(TemplateException error) {
        String message = error.getMessage();
        return switch (error.kind()) {
            case UNSUPPORTED ->
                new ClusterException(ErrorReason.MODEL_UNSUPPORTED, "the model's chat template, " + message);
            case REFUSED ->
                new ClusterException(
                        ErrorReason.INVALID_REQUEST, "the model's chat template refuses this conversation: " + message);
            case LIMIT ->
                new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "the model's chat template cannot be rendered for this conversation: " + message);
        };
    }
}
