package dev.penstock.weights;

import java.nio.file.Path;

/** A model folder that can't be used as it is; the message names the file, what was expected and what was found. */
public final class ModelFolderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the whole message. */
    public ModelFolderException(String message) {
        super(message);
    }

    /** With the whole message, and its cause. */
    public ModelFolderException(String message, Throwable cause) {
        super(message, cause);
    }

    /** About one file: the message reads {@code FILE: PROBLEM}. */
    static ModelFolderException in(Path file, String problem) {
        return new ModelFolderException(file + ": " + problem);
    }

    /** About one file, with what it came from. */
    static ModelFolderException in(Path file, String problem, Throwable cause) {
        return new ModelFolderException(file + ": " + problem, cause);
    }
}
