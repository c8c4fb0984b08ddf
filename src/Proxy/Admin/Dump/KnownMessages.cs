using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Postern.Proxy.Admin.Dump;

/// <summary>Every message that this build has a definition of, by full name.</summary>
internal static class KnownMessages
{
    private static readonly FrozenDictionary<string, MessageDescriptor> ByName = Build();

    /// <summary>By type URL; null when unknown.</summary>
    public static MessageDescriptor? Find(string typeUrl) => ByName.GetValueOrDefault(typeUrl[(typeUrl.LastIndexOf('/') + 1)..]);

    private static FrozenDictionary<string, MessageDescriptor> Build()
    {
        var found = new Dictionary<string, MessageDescriptor>(StringComparer.Ordinal);
        AddAll(found, typeof(Cilium.NetworkPolicy).Assembly);
        AddAll(found, typeof(Google.Protobuf.WellKnownTypes.Any).Assembly);
        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void AddAll(Dictionary<string, MessageDescriptor> found, Assembly assembly)
    {
        foreach (var type in assembly.GetTypes())
        {
            if (!type.IsAbstract && typeof(IMessage).IsAssignableFrom(type)
                && type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) is MessageDescriptor descriptor)
            {
                found.TryAdd(descriptor.FullName, descriptor);
            }
        }
    }
}
