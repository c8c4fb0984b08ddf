using Envoy.Config.Core.V3;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Where resources come from: files, for now.</summary>
internal static class ConfigSources
{
    /// <summary>Validates a source.</summary>
    public static ConfigSourceConfig ToConfig(ConfigSource source, ConfigPath path) => new FileSourceConfig(ToPath(source, path));

    private static string ToPath(ConfigSource source, ConfigPath path)
    {
        if (source.ResourceApiVersion == ApiVersion.V2)
        {
            throw path.Field("resource_api_version").Error("version 2 of the API is gone; write V3");
        }
        switch (source.ConfigSourceSpecifierCase)
        {
            case ConfigSource.ConfigSourceSpecifierOneofCase.Path:
                return NonEmpty(source.Path, path.Field("path"));
            case ConfigSource.ConfigSourceSpecifierOneofCase.PathConfigSource:
                path = path.Field("path_config_source");
                if (source.PathConfigSource.WatchedDirectory is { } directory)
                {
                    NonEmpty(directory.Path, path.Field("watched_directory").Field("path"));
                }
                return NonEmpty(source.PathConfigSource.Path, path.Field("path"));
            default:
                throw path.Error("names no source; use path_config_source {path}");
        }
    }

    private static string NonEmpty(string text, ConfigPath path) =>
        text.Length > 0 && !text.Contains('\0') ? text : throw path.Error("needs the path of a file");
}
