package org.bergfried.worker.model;

import org.bergfried.worker.model.Part.Form;

/// What a family's tensors are called in one form of files.
///
/// @param form   whether they are safetensors or GGUF.
/// @param family has names of its own.
record Names(Form form, Family family) {
    /// The name of a tensor that no layer owns.
    String of(Part part) {
        return own(part, part.name(form));
    }

    /// The name of a layer's tensor.
    String of(Part part, int layer) {
        return form.layerPrefix() + layer + "." + of(part);
    }

    /// The name of an expert's own tensor.
    String of(Part part, int layer, int expert) {
        return of(part, layer).replace("#", Integer.toString(expert));
    }

    private String own(Part part, String usual) {
        return (form == Form.SAFETENSORS ? family.parts() : family.ggufParts()).getOrDefault(part, usual);
    }
}
