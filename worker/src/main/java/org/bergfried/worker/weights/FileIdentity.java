package org.bergfried.worker.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// By what a file is known to be unchanged without reading it.
///
/// @param path     where it was found.
/// @param size     bytes.
/// @param modified time of the last change, nanoseconds.
/// @param inode    which file the path leads to.
public record FileIdentity(Path path, long size, long modified, String inode) {
    /// Of a file as it is now.
    public static FileIdentity of(Path path) throws IOException {
        Map<String, Object> attributes = Files.readAttributes(path, "unix:size,lastModifiedTime,ino");
        long size = attributes.get("size") instanceof Long bytes ? bytes : 0;
        long modified = attributes.get("lastModifiedTime") instanceof FileTime time ? time.to(TimeUnit.NANOSECONDS) : 0;
        return new FileIdentity(path, size, modified, String.valueOf(attributes.get("ino")));
    }

    /// What has become of the file since; empty if nothing.
    public Optional<String> change() {
        try {
            FileIdentity now = of(path);
            if (now.equals(this)) {
                return Optional.empty();
            }
            String what = now.size != size
                    ? "has " + now.size + " bytes and had " + size
                    : now.inode.equals(inode) ? "was written to" : "was replaced by another file";
            return Optional.of(path + " " + what);
        } catch (NoSuchFileException gone) {
            return Optional.of(path + " is not there any more");
        } catch (IOException unreadable) {
            return Optional.of(path + " cannot be looked at any more: " + unreadable);
        }
    }
}
