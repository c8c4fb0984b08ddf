using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>What is inside an Any.</summary>
internal static class TypedConfig
{
    /// <summary>The message inside, of one of the known types; <paramref name="path"/> is that of the Any.</summary>
    public static IMessage Unpack(Any? any, ConfigPath path)
    {
        if (any is null)
        {
            throw path.Error("is missing; every filter needs a typed_config with its @type");
        }
        var name = any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];
        if (!MessageTypes.TryFind(name, out var type))
        {
            throw path.Field("@type").Error(UnknownType.Explain(name));
        }
        try
        {
            UnknownFields.Check(any.Value, type, path);
            return type.Parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw path.Error($"not a valid {type.FullName}: {Printable.Clip(e.Message)}");
        }
    }

    /// <summary>The error for a known message that has no business here.</summary>
    public static XdsConfigException Misplaced(IMessage message, string expected, ConfigPath path) =>
        path.Field("@type").Error($"{message.Descriptor.FullName} is not {expected}");

    /// <summary>A name that must be there.</summary>
    public static string Required(string text, ConfigPath path) =>
        text.Length > 0 ? text : throw path.Error("must not be empty");
}
