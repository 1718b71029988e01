package dev.penstock.ops;

import java.util.List;

/** Brings the configured models into this process, and frees them in the end. */
public interface ModelLoader {
    /**
     * Loads all models into the registry; blocks until each can answer.
     *
     * @throws StartException a model can't be loaded; the message says which and why, in one line
     */
    void load(ModelRegistry registry);

    /**
     * Brings what is loaded into line with another configuration; requests under way go on.
     *
     * @throws StartException it makes no sense, or something in it can't be had; then all is as it was
     */
    void reload(PenstockConfig wanted, ModelRegistry registry);

    /** What was loaded, for people: a phrase a model. */
    List<String> descriptions();

    /** Cuts what still runs, with an error for its caller, and frees the models. */
    void close();
}
