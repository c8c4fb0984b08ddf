using System;
using System.Collections;
using System.Collections.Generic;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Text;

/// <summary>
/// The proto3 JSON mapping, read strictly: a field that is not declared, a member of a oneof set twice, an enum value without a
/// name and a null are errors. Null is legal in the mapping and means "not set", but <c>http_rules:</c> with its rules forgotten
/// would then allow everything, so nobody gets to write it.
/// </summary>
internal static partial class ProtoJson
{
    private const string TypeMember = "@type";

    /// <summary>Reads a message of one type. A <c>@type</c> member may stand at the top when it names that type.</summary>
    public static T Read<T>(ConfigNode node, ConfigPath path)
        where T : IMessage<T>, new()
    {
        var message = new T();
        RequireMap(node, message.Descriptor, path);
        foreach (var member in node.Members)
        {
            if (member.Name == TypeMember && TypeName(member.Value, path) != message.Descriptor.FullName)
            {
                throw path.Field(TypeMember).Error(
                    $"expected type.googleapis.com/{message.Descriptor.FullName}, found {Printable.Quote(member.Value.Text)}");
            }
        }
        Fill(message, node, path, skipType: true);
        return message;
    }

    private static void RequireMap(ConfigNode node, MessageDescriptor type, ConfigPath path)
    {
        if (node.Kind != ConfigNodeKind.Map)
        {
            var mend = node.Kind == ConfigNodeKind.Null ? "; remove the field, or write {} for an empty one" : "";
            throw path.Error($"expected a map ({type.FullName}), found {node.Describe()}{mend}");
        }
    }

    private static void Fill(IMessage message, ConfigNode node, ConfigPath path, bool skipType)
    {
        var type = message.Descriptor;
        var fields = MessageFields.Of(type);
        HashSet<FieldDescriptor>? seen = null;
        Dictionary<OneofDescriptor, string>? oneofs = null;
        foreach (var member in node.Members)
        {
            if (skipType && member.Name == TypeMember)
            {
                continue;
            }
            if (!fields.TryFind(member.Name, out var field))
            {
                throw path.Field(member.Name).Error(UnknownField.Explain(type, member.Name, fields));
            }
            var fieldPath = path.Field(field.Name);
            // The same field by its two spellings.
            if (!(seen ??= []).Add(field))
            {
                throw fieldPath.Error("set twice, by both its spellings; keep one of them");
            }
            if (field.RealContainingOneof is { } oneof && !(oneofs ??= []).TryAdd(oneof, field.Name))
            {
                throw fieldPath.Error($"{oneofs[oneof]} is set too, and only one of oneof {oneof.Name} may be; remove one of them");
            }
            SetField(message, field, member.Value, fieldPath);
        }
    }

    private static void SetField(IMessage message, FieldDescriptor field, ConfigNode node, ConfigPath path)
    {
        if (node.Kind == ConfigNodeKind.Null)
        {
            throw path.Error(field.FieldType == FieldType.Message || field.IsRepeated
                ? "has no value; remove the field, or write {} or [] for an empty one"
                : "has no value; remove the field or give it one");
        }
        if (field.IsMap)
        {
            ReadMap((IDictionary)field.Accessor.GetValue(message), field, node, path);
        }
        else if (field.IsRepeated)
        {
            if (node.Kind != ConfigNodeKind.List)
            {
                throw path.Error($"expected a list, found {node.Describe()}");
            }
            var list = (IList)field.Accessor.GetValue(message);
            for (var i = 0; i < node.Items.Count; i++)
            {
                var itemPath = path.Item(i);
                if (node.Items[i].Kind == ConfigNodeKind.Null)
                {
                    throw itemPath.Error("an empty list item; remove it or give it a value");
                }
                list.Add(ReadSingle(field, node.Items[i], itemPath));
            }
        }
        else
        {
            field.Accessor.SetValue(message, ReadSingle(field, node, path));
        }
    }

    private static void ReadMap(IDictionary map, FieldDescriptor field, ConfigNode node, ConfigPath path)
    {
        if (node.Kind != ConfigNodeKind.Map)
        {
            throw path.Error($"expected a map, found {node.Describe()}");
        }
        var keyField = field.MessageType.FindFieldByNumber(1);
        var valueField = field.MessageType.FindFieldByNumber(2);
        foreach (var member in node.Members)
        {
            var entryPath = path.Key(member.Name);
            var keyKind = keyField.FieldType == FieldType.Bool ? ConfigNodeKind.Bool : ConfigNodeKind.String;
            var key = ReadScalar(keyField, new ConfigNode(keyKind, member.Name, member.Line, member.Column), entryPath);
            if (member.Value.Kind == ConfigNodeKind.Null)
            {
                throw entryPath.Error("has no value; remove the key or give it one");
            }
            if (map.Contains(key))
            {
                throw entryPath.Error("duplicate key; keep one of them");
            }
            map.Add(key, ReadSingle(valueField, member.Value, entryPath));
        }
    }

    private static object ReadSingle(FieldDescriptor field, ConfigNode node, ConfigPath path)
    {
        if (field.FieldType != FieldType.Message)
        {
            return ReadScalar(field, node, path);
        }
        var type = field.MessageType;
        if (type.IsWrapperType())
        {
            return ReadScalar(type.FindFieldByNumber(1), node, path);
        }
        if (type == Duration.Descriptor)
        {
            return ReadDuration(node, path);
        }
        if (type == Any.Descriptor)
        {
            return ReadAny(node, path);
        }
        if (type == Struct.Descriptor)
        {
            return ReadStruct(node, path);
        }
        RequireMap(node, type, path);
        var message = type.Parser.ParseFrom(ByteString.Empty);
        Fill(message, node, path, skipType: false);
        return message;
    }

    /// <summary>Reads a message whose type its <c>@type</c> member names.</summary>
    internal static Any ReadAny(ConfigNode node, ConfigPath path)
    {
        RequireMap(node, Any.Descriptor, path);
        ConfigNode? typeNode = null;
        foreach (var member in node.Members)
        {
            typeNode = member.Name == TypeMember ? member.Value : typeNode;
        }
        if (typeNode is null)
        {
            throw path.Error("has no \"@type\"; name the message, like \"@type\": type.googleapis.com/cilium.NetworkPolicy");
        }
        var name = TypeName(typeNode, path);
        if (!MessageTypes.TryFind(name, out var type))
        {
            throw path.Field(TypeMember).Error(UnknownType.Explain(name));
        }
        var message = type.Parser.ParseFrom(ByteString.Empty);
        Fill(message, node, path, skipType: true);
        return Any.Pack(message);
    }

    private static string TypeName(ConfigNode node, ConfigPath path)
    {
        var slash = node.Kind == ConfigNodeKind.String ? node.Text.LastIndexOf('/') : -1;
        if (slash < 0)
        {
            throw path.Field(TypeMember).Error($"expected a type URL like type.googleapis.com/NAME, found {Printable.Quote(node.Text)}");
        }
        return node.Text[(slash + 1)..];
    }

    private static bool IsWrapperType(this MessageDescriptor type) =>
        type.File == WrappersReflection.Descriptor;
}
