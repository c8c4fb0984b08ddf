using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>What is inside an Any. Fields that are not declared were judged before, by <see cref="Fields.WireScan"/>.</summary>
internal static class TypedConfig
{
    /// <summary>The message inside, of one of the known types; <paramref name="path"/> is that of the Any.</summary>
    public static IMessage Unpack(Any? any, ConfigPath path)
    {
        if (any is null)
        {
            throw path.Error("is missing; every filter needs a typed_config with its @type");
        }
        var type = TypeOf(any, path);
        try
        {
            return type.Parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw path.Error($"not a valid {type.FullName}: {Printable.Clip(e.Message)}");
        }
    }

    /// <summary>Which of the known messages is inside; <paramref name="path"/> is that of the Any.</summary>
    public static MessageDescriptor TypeOf(Any any, ConfigPath path)
    {
        var name = any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];
        return MessageTypes.TryFind(name, out var type) ? type : throw path.Field("@type").Error(UnknownType.Explain(name));
    }

    /// <summary>The error for a known message that has no business here.</summary>
    public static XdsConfigException Misplaced(IMessage message, string expected, ConfigPath path) =>
        path.Field("@type").Error($"{message.Descriptor.FullName} is not {expected}");

    /// <summary>A name that must be there.</summary>
    public static string Required(string text, ConfigPath path) =>
        text.Length > 0 ? text : throw path.Error("must not be empty");
}
