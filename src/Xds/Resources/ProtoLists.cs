using System;
using Google.Protobuf.Collections;
using Postern.Policy.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Repeated fields to lists, each item with its own path.</summary>
internal static class ProtoLists
{
    /// <summary>Converts every item; <paramref name="path"/> is that of the field.</summary>
    public static EquatableList<TConfig> Map<TProto, TConfig>(
        this RepeatedField<TProto> items, ConfigPath path, Func<TProto, ConfigPath, TConfig> convert)
    {
        var result = new TConfig[items.Count];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = convert(items[i], path.Item(i));
        }
        return EquatableList.Create<TConfig>(result);
    }
}
