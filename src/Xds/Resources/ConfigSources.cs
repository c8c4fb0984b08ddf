using System;
using Envoy.Config.Core.V3;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.core.v3.ConfigSource</c>: where resources come from.</summary>
internal static class ConfigSources
{
    private static readonly TimeSpan DefaultFetchTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Validates a source.</summary>
    public static ConfigSourceConfig ToConfig(ConfigSource source, ConfigPath path)
    {
        CheckVersion(source.ResourceApiVersion, path.Field("resource_api_version"));
        var timeout = Durations.OrOff(source.InitialFetchTimeout, DefaultFetchTimeout, path.Field("initial_fetch_timeout"));
        switch (source.ConfigSourceSpecifierCase)
        {
            case ConfigSource.ConfigSourceSpecifierOneofCase.Path:
                return new FileSourceConfig(NonEmpty(source.Path, path.Field("path")));
            case ConfigSource.ConfigSourceSpecifierOneofCase.PathConfigSource:
                path = path.Field("path_config_source");
                if (source.PathConfigSource.WatchedDirectory is { } directory)
                {
                    NonEmpty(directory.Path, path.Field("watched_directory").Field("path"));
                }
                return new FileSourceConfig(NonEmpty(source.PathConfigSource.Path, path.Field("path")));
            case ConfigSource.ConfigSourceSpecifierOneofCase.ApiConfigSource:
                return GrpcSources.ToConfig(source.ApiConfigSource, timeout, path.Field("api_config_source"));
            case ConfigSource.ConfigSourceSpecifierOneofCase.Ads:
                return new AdsSourceConfig(timeout);
            case ConfigSource.ConfigSourceSpecifierOneofCase.Self:
                throw path.Field("self").Error("the source that sent this resource is not remembered; write api_config_source or ads");
            default:
                throw path.Error("names no source; use path_config_source {path}, api_config_source {api_type: GRPC} or ads {}");
        }
    }

    /// <summary>The source of a field that must name one: Cilium's agent and most control planes fill it in.</summary>
    public static ConfigSourceConfig Required(ConfigSource? source, ConfigPath path) =>
        ToConfig(source ?? throw path.Error("is missing; name the source: api_config_source, ads or path_config_source"), path);

    /// <summary>V3, or silence.</summary>
    public static void CheckVersion(ApiVersion version, ConfigPath path)
    {
        if (version is not (ApiVersion.V3 or ApiVersion.Auto))
        {
            throw path.Error(version == ApiVersion.V2 ? "version 2 of the API is gone; write V3" : $"value {(int)version} is not known; write V3");
        }
    }

    private static string NonEmpty(string text, ConfigPath path) =>
        text.Length > 0 && !text.Contains('\0') ? text : throw path.Error("needs the path of a file");
}
