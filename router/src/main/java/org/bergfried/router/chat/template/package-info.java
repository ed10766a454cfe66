/// Renders chat templates: the part of Jinja that the templates of published models use, without any library.
///
/// Called by `router.chat`, which gives a template its variables and encodes what comes out. The interpreter remembers
/// of
/// every character whether it came from the template or from data, so that only the template's own text can become a
/// special token. A template is a stranger's program: work, depth, size and time of a rendering are limited.
///
/// It must not know what a token, a message or a request is.
@NullMarked
package org.bergfried.router.chat.template;

import org.jspecify.annotations.NullMarked;
