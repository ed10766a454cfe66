package org.bergfried.contract;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// Reads the one YAML file of a process into a tree of records, strictly: an unknown key, a wrong type or a
/// broken limit refuses the start with a message that names file, path, value and limit.
///
/// Keys are the names of the record components. An absent key takes the component's value from the record's
/// static `defaults()`; a record without that method gets null, 0 or false (`Optional`, `List` and `Map`: empty)
/// and its compact constructor decides. Components may be numbers, booleans, text, enums, `Duration` ("10s",
/// "250ms", ISO), [ByteSize], [Secret], `Path`, records, and `Optional`, `List` or `Map` of these.
///
/// The environment overrides single values by path: `BERGFRIED_GRPC__PORT` is `grpc.port` and
/// `BERGFRIED_PLACEMENT__EXPECTED_WORKERS` is `placement.expectedWorkers`; a list takes its items separated by
/// commas.
public final class ConfigLoader {
    private static final long FILE_BYTES_MAX = 1 << 20; // a configuration is a few KiB; this is something else

    private ConfigLoader() {}

    /// Reads a file.
    ///
    /// @param type the record at the root.
    /// @param environment the environment, passed in by the process.
    public static <T extends Record> T load(Class<T> type, Path file, Map<String, String> environment) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new ConfigException(
                        file + " has " + Files.size(file) + " bytes; a configuration file may have " + FILE_BYTES_MAX,
                        null);
            }
            return parse(type, file.toString(), Files.readString(file), environment);
        } catch (CharacterCodingException notText) {
            throw new ConfigException(file + " is not UTF-8 text", notText);
        } catch (IOException unreadable) {
            throw new ConfigException("cannot read the configuration file " + file + ": " + unreadable, unreadable);
        }
    }

    /// Reads a text.
    ///
    /// @param source what messages call the text, such as the file's path.
    public static <T extends Record> T parse(
            Class<T> type, String source, String yaml, Map<String, String> environment) {
        Map<String, @Nullable Object> tree = read(source, yaml);
        EnvironmentOverrides.apply(type, tree, environment);
        return type.cast(new ConfigBinder(source).bind(type, tree));
    }

    /// The configuration that is in force as YAML, defaults and overrides included and secrets masked. Without
    /// its secrets it can be loaded again.
    public static String render(Record config) {
        return YAMLMapper.builder().build().writeValueAsString(ConfigValues.tree(config));
    }

    private static Map<String, @Nullable Object> read(String source, String yaml) {
        var mapper = YAMLMapper.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
        try {
            JsonNode root = mapper.readTree(yaml);
            if (root.isMissingNode() || root.isNull()) {
                return new LinkedHashMap<>();
            }
            if (!root.isObject()) {
                throw new ConfigException(source + ": not a YAML mapping of keys to values", null);
            }
            return mapper.treeToValue(root, new TypeReference<LinkedHashMap<String, @Nullable Object>>() {});
        } catch (JacksonException malformed) {
            var at = malformed.getLocation();
            String place = at == null ? "" : ", line " + at.getLineNr() + " column " + at.getColumnNr();
            throw new ConfigException(
                    source + place + ": not a YAML mapping: " + malformed.getOriginalMessage(), malformed);
        }
    }
}
