package dev.penstock.ops;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.source.yaml.YamlConfigSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.eclipse.microprofile.config.spi.ConfigSourceProvider;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The YAML file that {@code --config} names, as a source of configuration: above the defaults of the application, below
 * environment variables, system properties and the command line.
 */
public final class ConfigFile implements ConfigSourceProvider {
    /** The system property that names the file. */
    static final String PROPERTY = "config.file";

    /** Between application.properties (250) and environment variables (300). */
    private static final int ORDINAL = 280;

    @Override
    public Iterable<ConfigSource> getConfigSources(ClassLoader loader) {
        String path = System.getProperty(PROPERTY);
        if (path == null) {
            return List.of();
        }
        ConfigSource file = read(Path.of(path));
        return List.of(modelsAreNamed() ? withoutModels(file) : file);
    }

    /** Whether the command line names models. */
    static boolean modelsAreNamed() {
        return System.getProperties().stringPropertyNames().stream()
                .anyMatch(name -> name.startsWith(ModelSpec.PREFIX));
    }

    /** Models of several sources would be merged: those of the command line take the place of the file's. */
    static ConfigSource withoutModels(ConfigSource file) {
        Map<String, String> properties = new HashMap<>();
        for (String key : file.getPropertyNames()) {
            if (!key.startsWith(ModelSpec.PREFIX)) {
                properties.put(key, file.getValue(key));
            }
        }
        return new PropertiesConfigSource(properties, file.getName(), ORDINAL);
    }

    /**
     * Reads the file, in which no key may stand twice.
     *
     * @throws StartException it is not there, can't be read, or is no YAML
     */
    static ConfigSource read(Path path) {
        try {
            String text = Files.readString(path);
            LoaderOptions once = new LoaderOptions();
            once.setAllowDuplicateKeys(false);
            new Yaml(new SafeConstructor(once)).load(text);
            return new YamlConfigSource(path.toUri().toString(), text, ORDINAL);
        } catch (IOException | UncheckedIOException e) {
            throw new StartException("The configuration file " + path + " can't be read: " + e, e);
        } catch (RuntimeException e) {
            throw new StartException("The configuration file " + path + " is no valid YAML: " + e.getMessage(), e);
        }
    }
}
