package dev.penstock.prompt;

import dev.penstock.prompt.template.JinjaTemplate;
import java.time.Clock;

/** Compiles chat templates. */
public final class ChatTemplates {
    private ChatTemplates() {}

    /**
     * Compiles the {@code chat_template} of a model: Jinja2 in the dialect of Hugging Face.
     *
     * @throws TemplateException it is not such a template; the message names line and column
     */
    public static ChatTemplate of(String template) {
        return of(template, Clock.systemDefaultZone());
    }

    /** The same with the clock that {@code strftime_now} shows. */
    public static ChatTemplate of(String template, Clock clock) {
        return JinjaTemplate.compile(template, clock);
    }
}
