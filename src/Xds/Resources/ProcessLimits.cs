using Envoy.Config.Bootstrap.V3;
using Envoy.Extensions.Bootstrap.InternalListener.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>The limits of the process in a bootstrap, and the process-wide extensions, of which none does anything here.</summary>
internal static class ProcessLimits
{
    private const string OldKey = "overload.global_downstream_max_connections";

    /// <summary>The bound on connections of clients, null without one; and the rest of the overload manager.</summary>
    public static (long? MaxDownstreamConnections, OverloadConfig? Overload) Of(Bootstrap bootstrap, ConfigPath path)
    {
        CheckExtensions(bootstrap, path.Field("bootstrap_extensions"));
        var limit = Runtime(bootstrap.LayeredRuntime, path.Field("layered_runtime").Field("layers"));
        if (bootstrap.OverloadManager is not { } manager)
        {
            return (limit, null);
        }
        var overload = OverloadManagers.ToConfig(manager, path.Field("overload_manager"), out var bound);
        return (bound ?? limit, overload);
    }

    // Read over: internal listeners are refused where one is used.
    private static void CheckExtensions(Bootstrap bootstrap, ConfigPath path)
    {
        for (var i = 0; i < bootstrap.BootstrapExtensions.Count; i++)
        {
            var at = path.Item(i).Field("typed_config");
            if (TypedConfig.Unpack(bootstrap.BootstrapExtensions[i].TypedConfig, at) is not InternalListener)
            {
                throw at.Error("this bootstrap extension is not built in; remove it");
            }
        }
    }

    // There is no runtime. Older bootstraps limit connections by a key of it; flags that switch Envoy's own code have no meaning here.
    private static long? Runtime(LayeredRuntime? runtime, ConfigPath path)
    {
        long? limit = null;
        for (var i = 0; i < (runtime?.Layers.Count ?? 0); i++)
        {
            var layer = runtime!.Layers[i].StaticLayer;
            if (layer is null)
            {
                continue;
            }
            var value = layer.Fields.TryGetValue(OldKey, out var flat) ? flat
                : layer.Fields.TryGetValue("overload", out var nested) && nested.StructValue is { } inner
                    && inner.Fields.TryGetValue("global_downstream_max_connections", out var deep) ? deep
                : null;
            if (value is not null)
            {
                limit = value.KindCase == Value.KindOneofCase.NumberValue && value.NumberValue is >= 1 and <= long.MaxValue
                    ? (long)value.NumberValue
                    : throw path.Item(i).Field("static_layer").Error($"{OldKey} must be a number above 0");
            }
        }
        return limit;
    }
}
