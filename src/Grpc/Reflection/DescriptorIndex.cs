using System;
using System.Collections.Generic;
using Google.Protobuf.Reflection;

namespace Postern.Grpc.Reflection;

/// <summary>The files of some services with all they import, by name, by symbol and by extension. Immutable once filled.</summary>
internal sealed class DescriptorIndex
{
    private readonly Dictionary<string, FileDescriptor> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> symbols = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> extensions = new(StringComparer.Ordinal);

    public DescriptorIndex(IEnumerable<FileDescriptor> roots)
    {
        foreach (var root in roots)
        {
            Add(root);
        }
    }

    public FileDescriptor? File(string name) => files.GetValueOrDefault(name);

    public FileDescriptor? FileOfSymbol(string symbol) => symbols.GetValueOrDefault(symbol.TrimStart('.'));

    public FileDescriptor? FileOfExtension(string type, int number) => extensions.GetValueOrDefault(type)?.GetValueOrDefault(number);

    /// <summary>Ascending; null when there is no such message.</summary>
    public IReadOnlyCollection<int>? ExtensionNumbers(string type) =>
        extensions.TryGetValue(type, out var numbers) ? numbers.Keys : symbols.ContainsKey(type) ? [] : null;

    /// <summary>The file, then all it imports, each once.</summary>
    public static List<FileDescriptor> WithImports(FileDescriptor file)
    {
        var all = new List<FileDescriptor> { file };
        var seen = new HashSet<string>(StringComparer.Ordinal) { file.Name };
        for (var i = 0; i < all.Count; i++)
        {
            foreach (var import in all[i].Dependencies)
            {
                if (seen.Add(import.Name))
                {
                    all.Add(import);
                }
            }
        }
        return all;
    }

    private void Add(FileDescriptor root)
    {
        foreach (var file in WithImports(root))
        {
            if (!files.TryAdd(file.Name, file))
            {
                continue;
            }
            foreach (var message in file.MessageTypes)
            {
                Add(message);
            }
            foreach (var type in file.EnumTypes)
            {
                Add(type);
            }
            foreach (var service in file.Services)
            {
                symbols.TryAdd(service.FullName, file);
                foreach (var method in service.Methods)
                {
                    symbols.TryAdd(method.FullName, file);
                }
            }
            AddExtensions(file.Extensions);
        }
    }

    private void Add(MessageDescriptor message)
    {
        symbols.TryAdd(message.FullName, message.File);
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            symbols.TryAdd(field.FullName, message.File);
        }
        foreach (var nested in message.NestedTypes)
        {
            Add(nested);
        }
        foreach (var type in message.EnumTypes)
        {
            Add(type);
        }
        AddExtensions(message.Extensions);
    }

    private void Add(EnumDescriptor type)
    {
        symbols.TryAdd(type.FullName, type.File);
        foreach (var value in type.Values)
        {
            symbols.TryAdd(value.FullName, type.File);
        }
    }

    private void AddExtensions(ExtensionCollection declared)
    {
        foreach (var extension in declared.UnorderedExtensions)
        {
            symbols.TryAdd(extension.FullName, extension.File);
            if (!extensions.TryGetValue(extension.ExtendeeType.FullName, out var numbers))
            {
                extensions.Add(extension.ExtendeeType.FullName, numbers = []);
            }
            numbers.TryAdd(extension.FieldNumber, extension.File);
        }
    }
}
