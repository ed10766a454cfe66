package org.bergfried.router.chat;

/// A token that is found by its text before anything else is tokenized.
///
/// @param id its id
/// @param content its text
/// @param special whether the file calls it special
/// @param takesBlanksBefore whether blanks before it vanish into it
/// @param takesBlanksAfter whether blanks after it vanish into it
/// @param wholeWord whether it counts only where no letter or digit touches it
record AddedToken(
        int id,
        String content,
        boolean special,
        boolean takesBlanksBefore,
        boolean takesBlanksAfter,
        boolean wholeWord) {
    /// Whether it is a run of blanks that stands for itself.
    boolean isBlank() {
        return !special && content.isBlank();
    }

    /// Whether it is part of the protocol between template and model and is never shown, whatever the file calls it:
    /// DeepSeek's `<｜User｜>` is not marked as special.
    boolean isHidden() {
        return special || isWrapped("<|", "|>") || isWrapped("<｜", "｜>");
    }

    private boolean isWrapped(String open, String close) {
        return content.length() > 4 && content.startsWith(open) && content.endsWith(close);
    }
}
